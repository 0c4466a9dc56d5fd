/**
 * The live log: readers follow the task's log while it is written, and find its final copy under the same name
 * afterwards (spec 04 §3).
 */

import { isAskedFor } from "../../task/asked_for.ts";
import type { Feature } from "../../task/feature.ts";
import { notEnabled } from "../../task/not_enabled.ts";
import { uploadLink } from "../../task/publish_artifact.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { LiveReference } from "./live_reference.ts";

const name = "Live Log";

/** On by default; a pool that has it switched off refuses only tasks that ask for it by name (weakness K6). */
export const liveLog: Feature = {
  name,
  requested: (task) =>
    task.payload.features["liveLog"] === true &&
    (task.worker.config.enableLiveLog || isAskedFor(task, "liveLog")),
  disabled: ({ config }) => config.enableLiveLog ? undefined : notEnabled(name, config),
  reservedArtifacts: (task) => [task.payload.logs.live],
  start(task) {
    const reference = new LiveReference(task);
    return Promise.resolve(async () => {
      await reference.closePorts();
      // The log says its last words before its readers see the end: the server stops by itself, with the log.
      task.outlasting.push(reference.served());
      const settled = reference.settle();
      if (task.payload.features["backingLog"] !== true) return;
      const linked = settled.then(() => link(task));
      // The run looks at it when the backing log is there too, which may be later than it fails.
      linked.catch(() => {});
      task.beforeResolution.push(linked);
    });
  },
};

/** Created even where no log was served (weakness LF-3). @throws TaskException */
function link(task: TaskRun): Promise<void> {
  const { live, backing } = task.payload.logs;
  return uploadLink(task, { name: live, target: backing, contentType: "text/plain; charset=utf-8" });
}
