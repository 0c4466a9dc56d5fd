/** What worker-manager knows: worker pools, their workers, and the errors reported for them. */

import type { Clock } from "../../base/clock.ts";
import type { Secret } from "../../base/secret.ts";
import { sortedBy } from "../pagination.ts";

/** A pool as its owner defined it. */
export interface WorkerPoolDefinition {
  readonly providerId: string;
  readonly description: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly owner: string;
  readonly emailOnError: boolean;
}

/** A defined pool; times in milliseconds since the epoch. */
export interface WorkerPool extends WorkerPoolDefinition {
  readonly workerPoolId: string;
  readonly createdMs: number;
  readonly lastModifiedMs: number;
}

/** Names one worker of a deployment. */
export interface WorkerKey {
  readonly workerPoolId: string;
  readonly workerGroup: string;
  readonly workerId: string;
}

export type WorkerState = "requested" | "running" | "stopping" | "stopped";

/** What may change about a worker. */
export interface WorkerDetails {
  readonly providerId: string;
  readonly state: WorkerState;
  readonly capacity: number;
  readonly expiresMs: number;
  /** What the worker must present to register, and after that to register again. */
  readonly secret?: Secret;
  /** Answer to shouldWorkerTerminate. */
  readonly termination: { readonly terminate: boolean; readonly reason: string };
}

/** One worker; times in milliseconds since the epoch. */
export interface RegisteredWorker extends WorkerKey, WorkerDetails {
  readonly createdMs: number;
  readonly lastModifiedMs: number;
}

/** Something that went wrong with a worker, as it reported it. */
export interface WorkerPoolError {
  readonly errorId: string;
  readonly workerPoolId: string;
  readonly reportedMs: number;
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

const unremarkable: WorkerDetails["termination"] = { terminate: false, reason: "worker is needed" };

/** The state of worker-manager, for its handlers and for tests. */
export class WorkerRegistry {
  readonly #clock: Clock;
  readonly #pools = new Map<string, WorkerPool>();
  readonly #workers = new Map<string, RegisteredWorker>();
  readonly #errors: WorkerPoolError[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Defines a pool, or redefines it: then it keeps its time of creation. */
  setPool(workerPoolId: string, definition: WorkerPoolDefinition): WorkerPool {
    const nowMs = this.#clock.nowMs();
    const createdMs = this.#pools.get(workerPoolId)?.createdMs ?? nowMs;
    const { providerId, description, config, owner, emailOnError } = definition;
    const facts = { providerId, description, config, owner, emailOnError };
    const pool = { workerPoolId, ...facts, createdMs, lastModifiedMs: nowMs };
    this.#pools.set(workerPoolId, pool);
    return pool;
  }

  pool(workerPoolId: string): WorkerPool | undefined {
    return this.#pools.get(workerPoolId);
  }

  removePool(workerPoolId: string): void {
    this.#pools.delete(workerPoolId);
  }

  /** All pools, sorted by id. */
  pools(): WorkerPool[] {
    return sortedBy(this.#pools.values(), (pool) => pool.workerPoolId);
  }

  /** Adds a worker, or changes details of one; what is not given stays, or starts as a running static worker's. */
  setWorker(key: WorkerKey, details: Partial<WorkerDetails> = {}): RegisteredWorker {
    const nowMs = this.#clock.nowMs();
    const present = this.worker(key);
    const { workerPoolId, workerGroup, workerId } = key;
    const worker: RegisteredWorker = {
      providerId: "static",
      state: "running",
      capacity: 1,
      expiresMs: nowMs + 7 * 24 * 60 * 60 * 1000,
      termination: unremarkable,
      createdMs: nowMs,
      ...present,
      ...details,
      workerPoolId,
      workerGroup,
      workerId,
      lastModifiedMs: nowMs,
    };
    this.#workers.set(workerKeyText(key), worker);
    return worker;
  }

  /** The worker, unless it was never added, was removed or has expired. */
  worker(key: WorkerKey): RegisteredWorker | undefined {
    const worker = this.#workers.get(workerKeyText(key));
    return worker !== undefined && worker.expiresMs > this.#clock.nowMs() ? worker : undefined;
  }

  /**
   * What shouldWorkerTerminate answers from now on.
   * @throws Error for a worker that is not registered
   */
  setTermination(key: WorkerKey, termination: { terminate: boolean; reason: string }): void {
    if (this.worker(key) === undefined) {
      throw new Error(`Cannot set termination: worker ${workerKeyText(key)} is not registered`);
    }
    this.setWorker(key, { termination });
  }

  removeWorker(key: WorkerKey): void {
    this.#workers.delete(workerKeyText(key));
  }

  /** Workers of a pool, sorted by group and id. */
  workers(workerPoolId: string): RegisteredWorker[] {
    const living = [...this.#workers.values()]
      .filter((worker) => worker.workerPoolId === workerPoolId && this.worker(worker) !== undefined);
    return sortedBy(living, workerKeyText);
  }

  addError(error: WorkerPoolError): void {
    this.#errors.push(error);
  }

  /** Errors of a pool, or of all, the latest first. */
  errors(workerPoolId?: string): WorkerPoolError[] {
    return this.#errors
      .filter((error) => workerPoolId === undefined || error.workerPoolId === workerPoolId)
      .reverse();
  }
}

/** `<pool>/<group>/<id>`, as scopes spell it. */
export function workerKeyText(key: WorkerKey): string {
  return `${key.workerPoolId}/${key.workerGroup}/${key.workerId}`;
}
