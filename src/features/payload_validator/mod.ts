/** Checks the payload against the schema of this build and puts its values in force (spec 01 §9.5, spec 02 §2). */

import { stableJson } from "../../base/stable_json.ts";
import { TaskException } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import type { Payload } from "../../task/payload.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { logNameMistakes } from "./log_names.ts";
import { dockerPayloadRefused, nativePayloadRefused } from "./refusals.ts";
import { validatePayload } from "./validate_payload.ts";

/** Starts right after the backing log, since all that follow depend on the payload. */
export const payloadValidator: Feature = {
  name: "Payload Validator",
  requested: () => true,
  start: (task) =>
    new Promise((resolve) => {
      task.payload = acceptedPayload(task);
      resolve();
    }),
};

/** @throws TaskException `malformed-payload` */
function acceptedPayload(task: TaskRun): Payload {
  const { config, payloadSchema } = task.worker;
  const check = validatePayload(task.definition.payload, payloadSchema);
  if (check.kind === "invalid") {
    explain(task, check.violations);
    throw malformed(`validation of payload failed for task ${task.taskId}`);
  }
  if (check.kind === "docker") throw malformed(dockerPayloadRefused(config));
  if (config.disableNativePayloads) throw malformed(nativePayloadRefused(config));
  const mistakes = logNameMistakes(check.payload);
  if (mistakes.length > 0) throw malformed(mistakes.join("\n"));
  return check.payload;
}

/** The violations come last, where they are seen; scripts look for the two sentences. */
function explain(task: TaskRun, violations: readonly string[]): void {
  task.log.error(
    "Task payload for this worker type must conform to the following jsonschema:\n" +
      stableJson(task.worker.payloadSchema),
  );
  task.log.error("TASK FAIL since the task payload is invalid. See errors:");
  task.log.error(violations.map((violation) => `- ${violation}`).join("\n"));
}

function malformed(message: string): TaskException {
  return new TaskException("malformed-payload", message);
}
