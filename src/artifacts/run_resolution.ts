/** Finds out whether a refusal by the queue means that the run is over (weakness W-13). */

import { errorText } from "../base/error_text.ts";
import type { ArtifactRun } from "./artifact_run.ts";

/** How the run was resolved; undefined while it is not, or when that can't be learned. */
export async function runResolution(run: ArtifactRun): Promise<string | undefined> {
  try {
    const status = await run.worker.queue.status(run.taskId, { signal: run.lostSignal });
    const ours = status.runs.find(({ runId }) => runId === run.runId);
    return ours?.reasonResolved;
  } catch (error) {
    run.workerLog.warn(`Could not ask for the state of the run: ${errorText(error)}`);
    return run.lostSignal.aborted ? "unknown" : undefined;
  }
}
