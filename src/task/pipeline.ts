/** Starts the features of a run in order, and undoes them in reverse, whatever happened. */

import { errorText } from "../base/error_text.ts";
import { RunLost, TaskException, TaskFailure } from "./errors.ts";
import type { Feature, Undo } from "./feature.ts";
import { checkScopes } from "./feature_scopes.ts";
import { reserveArtifacts } from "./reserved_artifacts.ts";
import type { TaskRun } from "./task_run.ts";

export interface PipelineOptions {
  /** Called when the features have done what they start for, and only their undoing is left. */
  readonly onStopping: () => void;
}

/**
 * Runs a task through its features. Problems end up in `task.outcome`; nothing is thrown.
 *
 * The first feature starts even in a run that is aborted already: it is the log, which tells people why. The last
 * one runs the commands, so everything above it is in place while they run.
 */
export async function runPipeline(
  task: TaskRun,
  features: readonly Feature[],
  options: PipelineOptions,
): Promise<void> {
  const started: StartedFeature[] = [];
  for (const feature of features) {
    if (!task.outcome.succeeded) break;
    try {
      if (task.abortCause && started.length > 0) throw task.abortCause;
      if (!feature.requested(task)) continue;
      const undo = await startFeature(task, { feature, started: started.map((one) => one.feature) });
      started.push({ feature, undo });
    } catch (error) {
      record(task, { error, where: `starting ${feature.name}` });
    }
  }
  options.onStopping();
  for (const { feature, undo } of started.reverse()) {
    try {
      await undo?.(task.outcome);
    } catch (error) {
      record(task, { error, where: `stopping ${feature.name}` });
    }
  }
  for (const work of task.beforeResolution) {
    try {
      await work;
    } catch (error) {
      record(task, { error, where: "finishing the run" });
    }
  }
}

interface StartedFeature {
  readonly feature: Feature;
  readonly undo: Undo | void;
}

/** The gate in front of each feature, in the order of spec 02 §3.2, then its start. */
async function startFeature(
  task: TaskRun,
  { feature, started }: { feature: Feature; started: readonly Feature[] },
): Promise<Undo | void> {
  const reason = feature.disabled?.(task.worker);
  if (reason !== undefined) throw new TaskException("malformed-payload", reason);
  await checkScopes(task, feature);
  reserveArtifacts(task, { feature, started });
  return await feature.start(task);
}

/** Adds a problem; what is not one of ours is a bug in the worker, and its report goes out. */
function record(task: TaskRun, { error, where }: { error: unknown; where: string }): void {
  task.outcome.add(error);
  if (error instanceof TaskFailure || error instanceof TaskException || error instanceof RunLost) {
    task.workerLog.info(`${where}: ${errorText(error)}`);
    return;
  }
  task.worker.reportCrash(`task ${task.taskId}, run ${task.runId}, ${where}`, error);
}
