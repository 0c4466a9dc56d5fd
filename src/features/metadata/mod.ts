/** Leaves a note of the last task in the worker's directory (spec 02 §8). */

import { join } from "node:path";
import { writeFileAtomically } from "../../base/atomic_file.ts";
import { errorText } from "../../base/error_text.ts";
import { stableJson } from "../../base/stable_json.ts";
import type { Feature } from "../../task/feature.ts";

/** Serves tools beside the worker; a note that can't be written costs no task its result (weakness K6). */
export const metadata: Feature = {
  name: "Metadata",
  requested: (task) => task.worker.config.enableMetadata,
  start(task) {
    const { config, directory } = task.worker;
    const lastTaskUrl = `${config.rootURL.replace(/\/+$/, "")}/tasks/${task.taskId}/runs/${task.runId}`;
    const path = join(directory, "generic-worker-metadata.json");
    return Promise.resolve(async () => {
      try {
        await writeFileAtomically(path, stableJson({ lastTaskUrl }) + "\n", { durable: false });
      } catch (error) {
        task.workerLog.error(`Could not write ${path}: ${errorText(error)}`);
      }
    });
  },
};
