/** What a task can ask for: the interface every folder of `src/features` fills. */

import type { RequiredScopes } from "../services/scopes.ts";
import type { Outcome } from "./outcome.ts";
import type { TaskRun } from "./task_run.ts";
import type { WorkerContext } from "./worker_context.ts";

/** Undoes what `start` did; runs when the task ends, in reverse order, whatever happened. */
export type Undo = (outcome: Outcome) => Promise<void> | void;

/** Something a task can ask for. Stateless; one value per worker. */
export interface Feature {
  /** As it appears in messages (spec 01 §8.1). */
  readonly name: string;
  /** As messages about its artifacts call it, where that differs from `name`. */
  readonly publisherName?: string;
  /** Does this run use it? Asked when its turn comes, so payload-dependent ones see the validated payload. */
  requested(task: TaskRun): boolean;
  /**
   * Why this worker does not offer it, told to the user; undefined when it does. The text may be the general
   * one from `notEnabled`.
   */
  disabled?(worker: WorkerContext): string | undefined;
  requiredScopes?(task: TaskRun): RequiredScopes;
  /** Names of artifacts that it publishes itself. */
  reservedArtifacts?(task: TaskRun): readonly string[];
  /** Starts it for one run. @throws TaskFailure, TaskException, RunLost */
  start(task: TaskRun): Promise<Undo | void>;
  /** Once, before the first claim: mends what a killed worker left, and loads what outlives a task. */
  prepareWorker?(worker: WorkerContext): Promise<void>;
  /** Before a claim: frees disk space it can do without until there is enough. Never throws for what it can't free. */
  reclaimDiskSpace?(worker: WorkerContext, need: DiskNeed): Promise<void>;
}

/** How much room a task needs before it is claimed (spec 01 §6.8). */
export interface DiskNeed {
  /** On the file system of the task directories. */
  readonly requiredBytes: number;
  /** How much there is at this moment. */
  freeBytes(): number;
}
