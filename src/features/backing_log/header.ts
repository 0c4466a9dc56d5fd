/** The first lines of every task's log (spec 01 §9.2). */

import { stableJson } from "../../base/stable_json.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { poolId } from "../../task/not_enabled.ts";

/** The worker's facts, the task id, and the line that says it begins. */
export function logHeader(task: TaskRun): string[] {
  const { config } = task.worker;
  const facts = stableJson(config.workerTypeMetadata).split("\n").map((line) => `  ${line}`);
  return [
    `Worker Type (${poolId(config)}) settings:`,
    ...facts,
    `Task ID: ${task.taskId}`,
    "=== Task Starting ===",
  ];
}
