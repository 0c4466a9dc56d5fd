/** Puts tasks into the index when they complete, under the paths their routes name. */

import { type IndexedTask, isIndexPath, type TaskIndex } from "./index.ts";
import type { TaskRecord } from "./queue/task_record.ts";

const routePrefix = "index.";

/**
 * Does what the real index does on hearing that a task completed: every route `index.<path>` becomes an entry, with
 * `rank`, `data` and `expires` of the task's `extra.index`, or 0, `{}` and the task's expiry. Routes that are no
 * path are left out, and so is every task in another state.
 */
export function indexCompletedTask(index: TaskIndex, task: TaskRecord): void {
  if (task.state !== "completed") return;
  const entry = entryOf(task);
  for (const route of task.created.routes) {
    const namespace = route.slice(routePrefix.length);
    if (route.startsWith(routePrefix) && isIndexPath(namespace)) index.insert({ ...entry, namespace });
  }
}

function entryOf(task: TaskRecord): Omit<IndexedTask, "namespace"> {
  const wishes = asRecord(task.created.extra["index"]);
  const { rank, expires } = wishes;
  const expiresMs = typeof expires === "string" ? Date.parse(expires) : NaN;
  return {
    taskId: task.taskId,
    rank: typeof rank === "number" ? rank : 0,
    data: asRecord(wishes["data"]),
    expiresMs: Number.isNaN(expiresMs) ? task.expiresMs : expiresMs,
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? value as Readonly<Record<string, unknown>> : {};
}
