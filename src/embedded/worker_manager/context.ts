/** What the handlers of worker-manager work with. */

import type { Clock } from "../../base/clock.ts";
import type { WorkerRegistry } from "./registry.ts";

/** Temporary credentials as API bodies carry them. */
export interface WireCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string;
}

/** A worker as the queue saw it claim; times in milliseconds since the epoch. */
export interface QueueWorker {
  readonly workerGroup: string;
  readonly workerId: string;
  readonly firstClaimMs: number;
  readonly lastActiveMs: number;
  readonly expiresMs: number;
  /** Oldest first. */
  readonly recentTasks: readonly { readonly taskId: string; readonly runId: number }[];
  readonly quarantineUntilMs?: number;
}

export interface WorkerManagerOptions {
  clock: Clock;
  /** Makes temporary credentials for a registered worker; `expiresMs` is milliseconds since the epoch. */
  issueCredentials(grant: { clientId: string; scopes: string[]; expiresMs: number }): WireCredentials;
  /** Workers the queue knows of a pool; none when absent. */
  queueWorkers?(workerPoolId: string): readonly QueueWorker[];
}

/** What every handler needs. */
export interface Context extends WorkerManagerOptions {
  readonly registry: WorkerRegistry;
}
