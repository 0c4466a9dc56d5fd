/** Tells the queue that the content of an object artifact has arrived (spec 03 §3.2, §3.6). */

import { ServiceError } from "../services/errors.ts";
import { ArtifactError, RunResolvedError } from "./artifact_error.ts";
import type { ArtifactRun } from "./artifact_run.ts";
import { runResolution } from "./run_resolution.ts";

/**
 * `queue.finishArtifact`, each attempt with the credentials of the moment: the upload may have outlasted those it
 * began with (weakness W-19).
 *
 * @throws ArtifactError, RunResolvedError
 */
export async function finishArtifact(
  run: ArtifactRun,
  artifact: { name: string; uploadId: string },
): Promise<void> {
  try {
    await run.worker.queue.finishArtifact(() => run.credentials(), run, artifact, { signal: run.lostSignal });
  } catch (error) {
    if (run.lostSignal.aborted) throw new RunResolvedError("The run is not ours any more", { cause: error });
    if (!(error instanceof ServiceError)) throw error;
    throw await explain(run, { name: artifact.name, error });
  }
}

async function explain(
  run: ArtifactRun,
  { name, error }: { name: string; error: ServiceError },
): Promise<Error> {
  const { status } = error;
  const isRefusal = status >= 400 && status < 500 && status !== 429;
  const resolved = isRefusal ? await runResolution(run) : undefined;
  if (resolved !== undefined) {
    return new RunResolvedError(`The run is resolved already (${resolved})`, { cause: error });
  }
  return new ArtifactError("unfinished", `${name}: ${error.message}`, { cause: error });
}
