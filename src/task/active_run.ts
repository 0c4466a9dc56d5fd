/** The state of one run while it lasts: what its features share. */

import type { TaskContext } from "../engine/engine.ts";
import type { TaskLog } from "../log/task_log.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Credentials } from "../services/credentials.ts";
import type { TaskClaim, TaskDefinition } from "../services/queue_types.ts";
import type { ClaimKeeper } from "./claim_keeper.ts";
import { RunLost } from "./errors.ts";
import { Outcome, type Problem } from "./outcome.ts";
import { defaultPayload, type Payload } from "./payload.ts";
import type { CommandResult, CommandWatcher, PublishedArtifact, SlotPorts, TaskRun } from "./task_run.ts";
import type { WorkerContext } from "./worker_context.ts";

export interface ActiveRunOptions {
  readonly worker: WorkerContext;
  readonly claim: TaskClaim;
  readonly keeper: ClaimKeeper;
  readonly context: TaskContext;
  readonly privateDirectory: string;
  readonly log: TaskLog;
  readonly workerLog: WorkerLog;
  readonly ports: SlotPorts;
}

export class ActiveRun implements TaskRun {
  readonly taskId: string;
  readonly runId: number;
  readonly worker: WorkerContext;
  readonly workerLog: WorkerLog;
  readonly definition: TaskDefinition;
  readonly context: TaskContext;
  readonly privateDirectory: string;
  readonly log: TaskLog;
  readonly ports: SlotPorts;
  readonly outcome: Outcome = new Outcome();
  payload: Payload = defaultPayload;
  scopes: readonly string[];
  readonly featureEnvironment: Map<string, string> = new Map();
  readonly reservedArtifacts: Map<string, string> = new Map();
  readonly published: Map<string, PublishedArtifact> = new Map();
  readonly commandResults: CommandResult[] = [];
  readonly commandWatchers: CommandWatcher[] = [];
  readonly beforeResolution: Promise<void>[] = [];
  readonly outlasting: Promise<void>[] = [];
  readonly #keeper: ClaimKeeper;
  readonly #abort = new AbortController();
  #abortCause: Problem | undefined;

  constructor(options: ActiveRunOptions) {
    this.taskId = options.claim.status.taskId;
    this.runId = options.claim.runId;
    this.worker = options.worker;
    this.workerLog = options.workerLog;
    this.definition = options.claim.task;
    this.context = options.context;
    this.privateDirectory = options.privateDirectory;
    this.log = options.log;
    this.ports = options.ports;
    this.scopes = options.claim.task.scopes;
    this.#keeper = options.keeper;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get abortCause(): Problem | undefined {
    return this.#abortCause;
  }

  abort(cause: Problem): void {
    if (this.#abortCause) return;
    this.#abortCause = cause;
    this.log.error(cause instanceof RunLost ? cause.message : "Aborting task...");
    this.#abort.abort(cause);
  }

  get lostSignal(): AbortSignal {
    return this.#keeper.claimGone;
  }

  credentials(): Credentials {
    return this.#keeper.credentials;
  }

  onCredentials(changed: (credentials: Credentials) => void): () => void {
    return this.#keeper.onCredentials(changed);
  }
}
