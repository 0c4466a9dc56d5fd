/** Publishes the files and directories that a payload names (spec 03 §1 to §3). */

import { expiryMistakes } from "../../artifacts/expiry.ts";
import { TaskException } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import { uploadPayloadArtifacts } from "./upload_payload_artifacts.ts";

/** Uploads whatever the outcome of the commands, once the expiries have passed the check at the start. */
export const artifactUploads: Feature = {
  name: "Artifact Uploads",
  requested: (task) => task.payload.artifacts.length > 0,
  start(task) {
    const mistakes = expiryMistakes(task.payload.artifacts, task.definition);
    if (mistakes.length > 0) throw new TaskException("malformed-payload", mistakes.join("\n"));
    return Promise.resolve((outcome) => uploadPayloadArtifacts(task, outcome));
  },
};
