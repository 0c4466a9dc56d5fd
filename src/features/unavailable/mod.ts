/** Features of the payload schema that this version does not have: a task asking for one is told so, not ignored. */

import type { Feature } from "../../task/feature.ts";
import type { TaskRun } from "../../task/task_run.ts";

/** Each with its turn in the order of spec 01 §8.1. */
export const unavailableFeatures: readonly Feature[] = [
  unavailable("Interactive", (task) => task.payload.features["interactive"] === true),
  unavailable("LoopbackAudio", (task) => task.payload.features["loopbackAudio"] === true),
  unavailable("LoopbackVideo", (task) => task.payload.features["loopbackVideo"] === true),
];

function unavailable(name: string, requested: (task: TaskRun) => boolean): Feature {
  return {
    name,
    requested,
    disabled: () =>
      `This task uses the feature "${name}", which this version of the worker does not have. ` +
      "Take it out of the payload, or use a worker pool with another version",
    start: () => Promise.resolve(),
  };
}
