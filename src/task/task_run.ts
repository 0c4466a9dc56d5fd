/** One run of one task: what features see of it. */

import type { SpawnedProcess } from "../platform/platform.ts";
import type { TaskContext } from "../engine/engine.ts";
import type { TaskLog } from "../log/task_log.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Credentials } from "../services/credentials.ts";
import type { RunKey } from "../services/queue.ts";
import type { TaskDefinition } from "../services/queue_types.ts";
import type { Outcome, Problem } from "./outcome.ts";
import type { Payload } from "./payload.ts";
import type { WorkerContext } from "./worker_context.ts";

/** Local ports of the slot a run occupies (spec 01 §3.5); 0 for disabled features. */
export interface SlotPorts {
  readonly liveLogPut: number;
  readonly liveLogGet: number;
  readonly interactive: number;
  readonly proxy: number;
}

/** How the last command ended, for features that stop after the commands (spec 02 §4.6). */
export interface CommandResult {
  readonly exitCode?: number;
  readonly aborted: boolean;
}

/** A line of a command's result block: label and value (spec 01 §9.3). */
export type ResultLine = readonly [label: string, value: string];

/** Called when a command has started; what it gives is called when the command has ended. */
export type CommandWatcher = (process: SpawnedProcess) => () => readonly ResultLine[];

/** A lasting record of what this run published (spec 03 §3.2, for chain of trust). */
export interface PublishedArtifact {
  readonly name: string;
  /** Of the bytes before content encoding; absent for links, references and errors. */
  readonly sha256?: string;
  readonly sizeBytes?: number;
}

export interface TaskRun extends RunKey {
  readonly worker: WorkerContext;
  readonly workerLog: WorkerLog;
  readonly definition: TaskDefinition;
  readonly context: TaskContext;
  /** A directory for this run's worker-owned files, outside the task's reach. */
  readonly privateDirectory: string;
  readonly log: TaskLog;
  readonly ports: SlotPorts;
  readonly outcome: Outcome;

  /** Defaults until the payload validator has run (spec 02 §2.1). */
  payload: Payload;
  /** The task's scopes; a translated payload brings its own. */
  scopes: readonly string[];
  /** Set by features on every command, above the fixed variables (spec 02 §4.5). */
  readonly featureEnvironment: Map<string, string>;
  /** Artifact name → the feature that publishes it. */
  readonly reservedArtifacts: Map<string, string>;
  readonly published: Map<string, PublishedArtifact>;
  /** Results of the commands that ran, in order. */
  readonly commandResults: CommandResult[];
  /** Features that watch each command while it runs. */
  readonly commandWatchers: CommandWatcher[];
  /**
   * Work that goes on beside what is left to stop. It is waited for, and its problems count, before the run is
   * resolved; by then the log may be closed.
   */
  readonly beforeResolution: Promise<void>[];
  /** What the resolution does not wait for, but the end of the worker does. Must not reject. */
  readonly outlasting: Promise<void>[];

  /** Aborts when the run must end early: limits, shutdown, cancellation, lost claim. Commands are killed by it. */
  readonly signal: AbortSignal;
  /** Why `signal` aborted. */
  readonly abortCause: Problem | undefined;
  /** Ends the run early. The first cause counts. */
  abort(cause: Problem): void;

  /** Aborts when nothing sent to the queue about this run can count any more (cancelled, deadline, claim lost). */
  readonly lostSignal: AbortSignal;

  /** Task credentials of the latest claim or reclaim. */
  credentials(): Credentials;
  /** Told after each reclaim. Gives a function that stops it. */
  onCredentials(changed: (credentials: Credentials) => void): () => void;
}
