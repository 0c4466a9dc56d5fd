/** The queue's parts put together, and the claims that workers make. */

import type { Clock } from "../../base/clock.ts";
import type { WireCredentials } from "../../services/queue_types.ts";
import type { Artifacts } from "./artifacts.ts";
import type { LifeCycle, WorkerName } from "./life_cycle.ts";
import type { Run, TaskRecord } from "./task_record.ts";
import type { SeenWorker, Workers } from "./workers.ts";

export interface QueueOptions {
  readonly clock: Clock;
  readonly lifeCycle: LifeCycle;
  readonly artifacts: Artifacts;
  readonly workers: Workers;
  /** How long claimWork waits for work, milliseconds. */
  readonly longPollMs: number;
  /** Temporary credentials with these scopes. */
  readonly issueCredentials: (
    clientId: string,
    scopes: readonly string[],
    options: { expiryMs: number },
  ) => WireCredentials;
}

/** State of the queue service. */
export class Queue {
  readonly lifeCycle: LifeCycle;
  readonly artifacts: Artifacts;
  readonly workers: Workers;
  readonly clock: Clock;
  readonly #options: QueueOptions;

  constructor(options: QueueOptions) {
    this.lifeCycle = options.lifeCycle;
    this.artifacts = options.artifacts;
    this.workers = options.workers;
    this.clock = options.clock;
    this.#options = options;
  }

  /**
   * Waits for work and hands out up to `tasks` runs; none when none came in time, the worker went away, or it is in
   * quarantine.
   */
  async claimWork(
    taskQueueId: string,
    request: WorkerName & { tasks: number },
    options: { signal: AbortSignal },
  ): Promise<object[]> {
    const { signal } = options;
    const worker = this.workers.saw(taskQueueId, request);
    const endMs = this.clock.monotonicMs() + this.#options.longPollMs;
    while (!signal.aborted) {
      const claims = this.workers.isQuarantined(worker) ? [] : this.#claims(worker, request.tasks);
      const leftMs = endMs - this.clock.monotonicMs();
      if (claims.length > 0 || leftMs <= 0) return claims;
      await this.lifeCycle.pending.arrival(taskQueueId, leftMs, { signal });
    }
    return [];
  }

  /** The body of `task-claim-response.json`, with fresh credentials. */
  claim(record: TaskRecord, run: Run): object {
    return { ...this.reclaim(record, run), task: record.definition };
  }

  /** The body of `task-reclaim-response.json`, with fresh credentials. */
  reclaim(record: TaskRecord, run: Run) {
    const { runId, workerGroup, workerId, takenUntil } = run;
    const credentials = this.#credentials(record, run);
    return { status: record.status(), runId, workerGroup, workerId, takenUntil, credentials };
  }

  #claims(worker: SeenWorker, limit: number): object[] {
    const claims: object[] = [];
    while (claims.length < limit) {
      const next = this.lifeCycle.claimNext(worker.taskQueueId, worker);
      if (!next) break;
      this.workers.claimed(worker, { taskId: next.record.taskId, runId: next.run.runId });
      claims.push(this.claim(next.record, next.run));
    }
    return claims;
  }

  /** What a worker may do for one run while its claim lasts (spec 01 §12.1). */
  #credentials(record: TaskRecord, run: Run): WireCredentials {
    const key = `${record.taskId}/${run.runId}`;
    const untilMs = Date.parse(run.takenUntil ?? "");
    const clientId = `task-client/${key}/on/${run.workerGroup}/${run.workerId}/until/${untilMs / 1000}`;
    const scopes = [
      `queue:reclaim-task:${key}`,
      `queue:resolve-task:${key}`,
      `queue:create-artifact:${key}`,
      ...record.created.scopes,
    ];
    return this.#options.issueCredentials(clientId, scopes, { expiryMs: untilMs });
  }
}
