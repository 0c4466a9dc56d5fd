/** Which features a task has chosen itself. */

import type { TaskRun } from "./task_run.ts";

/** Does the payload itself switch the feature on, rather than leave it at its default? */
export function isAskedFor(task: TaskRun, feature: string): boolean {
  const features = task.definition.payload["features"];
  return typeof features === "object" && features !== null && Reflect.get(features, feature) === true;
}
