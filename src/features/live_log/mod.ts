/**
 * The live log artifact: a link to the backing log, which readers find under the name they know even where no
 * log was served while the task ran (weakness LF-3).
 */

import type { Feature } from "../../task/feature.ts";
import { uploadLink } from "../../task/publish_artifact.ts";

export const liveLog: Feature = {
  name: "Live Log",
  requested: (task) => task.payload.features["liveLog"] === true && task.worker.config.enableLiveLog,
  reservedArtifacts: (task) => [task.payload.logs.live],
  start(task) {
    if (task.payload.features["backingLog"] !== true) return Promise.resolve();
    const linked = uploadLink(task, { name: task.payload.logs.live, target: task.payload.logs.backing });
    // What goes wrong is told when the task ends; until then nobody waits for it.
    linked.catch(() => {});
    return Promise.resolve(() => linked);
  },
};
