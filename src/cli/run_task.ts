/** `run-task`: runs one task on this machine, on the same code as the worker, against the embedded Taskcluster. */

import { resolve } from "node:path";
import { formatByteSize } from "../base/byte_size.ts";
import { formatDuration } from "../base/duration.ts";
import { errorText } from "../base/error_text.ts";
import { stableJson } from "../base/stable_json.ts";
import { ServiceError } from "../services/errors.ts";
import type { CommandArguments } from "./command.ts";
import { localDefinition } from "./run_task/local_definition.ts";
import { type LocalResult, runLocally } from "./run_task/local_run.ts";
import { readTask, TaskSourceError } from "./run_task/task_source.ts";
import { print, printError } from "./terminal.ts";

/** The exit code tells the resolution. */
const exitOf: Readonly<Record<string, number>> = { completed: 0, failed: 1, exception: 2 };

/** Runs the task; gives 0 for completed, 1 for failed, 2 for exception or a task that can't be read. */
export async function execute(given: CommandArguments): Promise<number> {
  const json = given.flags.has("json");
  const directory = given.values["artifacts"] === undefined
    ? await Deno.makeTempDir({ prefix: "run-task-" })
    : resolve(given.values["artifacts"]);
  try {
    const task = await readTask(given.operand, rootUrlFromEnvironment());
    const { definition, changes } = localDefinition(task, { nowMs: Date.now() });
    for (const change of changes) printError(`run-task: ${change}\n`);
    const result = await runLocally(definition, { directory, json });
    if (json) print(stableJson(result) + "\n");
    else printError(summary(result));
    return exitOf[result.state] ?? 2;
  } catch (error) {
    if (!(error instanceof TaskSourceError || error instanceof ServiceError)) throw error;
    printError(`run-task: ${errorText(error)}\n`);
    return 2;
  }
}

function rootUrlFromEnvironment(): { rootUrl?: string } {
  const rootUrl = Deno.env.get("TASKCLUSTER_ROOT_URL");
  return rootUrl ? { rootUrl } : {};
}

function summary(result: LocalResult): string {
  const width = Math.max(0, ...result.artifacts.map((artifact) => artifact.name.length));
  const lines = result.artifacts.map((artifact) => {
    const size = artifact.sizeBytes === undefined ? artifact.note : formatByteSize(artifact.sizeBytes);
    return `  ${artifact.name.padEnd(width)}  ${size}`;
  });
  return [
    "",
    `Task ${result.taskId}: ${result.state}/${result.reason} after ${formatDuration(result.durationMs)}`,
    `Artifacts and the worker's own log are in ${result.directory}:`,
    ...lines,
    "",
  ].join("\n");
}
