/** Tells the queue of an artifact, and sorts out what it means when that fails (spec 03 §3.2, §3.6). */

import { ServiceError } from "../services/errors.ts";
import type { CreateArtifactRequest, CreateArtifactResponse } from "../services/queue_types.ts";
import { ArtifactError, RunResolvedError } from "./artifact_error.ts";
import type { ArtifactRun } from "./artifact_run.ts";
import { runResolution } from "./run_resolution.ts";

/**
 * `queue.createArtifact`, each attempt with the credentials of the moment: an outage may outlast a claim's.
 *
 * @throws ArtifactError, RunResolvedError
 */
export async function createArtifact(
  run: ArtifactRun,
  artifact: { name: string; request: CreateArtifactRequest },
): Promise<CreateArtifactResponse> {
  try {
    return await run.worker.queue.createArtifact(() => run.credentials(), run, artifact, {
      signal: run.lostSignal,
    });
  } catch (error) {
    if (run.lostSignal.aborted) throw new RunResolvedError("The run is not ours any more", { cause: error });
    if (!(error instanceof ServiceError)) throw error;
    throw await explain(run, { name: artifact.name, error });
  }
}

interface Refusal {
  readonly name: string;
  readonly error: ServiceError;
}

async function explain(run: ArtifactRun, { name, error }: Refusal): Promise<Error> {
  const { status, details } = error;
  if (status === 0) {
    return unavailable(
      `Could not reach the queue to announce artifact ${name}: ${details.explanation}`,
      error,
    );
  }
  if (status >= 500 || status === 429) {
    return unavailable(
      `TASK EXCEPTION due to response code ${status} from Queue when uploading artifact ${name} - ` +
        `HTTP response body: ${details.body ?? ""}`,
      error,
    );
  }
  const resolved = await runResolution(run);
  if (resolved !== undefined) {
    return new RunResolvedError(`The run is resolved already (${resolved})`, { cause: error });
  }
  if (status === 409) return conflict(run, { name, error });
  return new ArtifactError("refused", `The queue refused artifact ${name}: ${error.message}`, {
    cause: error,
  });
}

function unavailable(message: string, cause: unknown): ArtifactError {
  return new ArtifactError("unavailable", message, { cause });
}

function conflict(run: ArtifactRun, { name, error }: Refusal): ArtifactError {
  const lines = [
    `there was a conflict uploading artifact ${name} - this suggests artifact ${name} was already uploaded ` +
    "to this task with different content earlier on in this task.",
    `Check the artifacts section of the task payload at ${run.worker.config.rootURL}/api/queue/v1/task/${run.taskId}`,
    error.message,
  ];
  return new ArtifactError("conflict", lines.join("\n"), { cause: error });
}
