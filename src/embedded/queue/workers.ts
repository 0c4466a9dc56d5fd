/** The workers, worker types and provisioners the queue has seen. */

import type { Clock } from "../../base/clock.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { ApiError } from "../service.ts";
import type { WorkerName } from "./life_cycle.ts";

/** One worker of one task queue. */
export interface SeenWorker extends WorkerName {
  readonly taskQueueId: string;
  readonly firstClaimMs: number;
  lastActiveMs: number;
  expiresMs: number;
  quarantineUntilMs?: number;
  readonly quarantines: { clientId: string; updatedMs: number; untilMs: number; info: string }[];
  /** The latest twenty, oldest first. */
  readonly recentTasks: { taskId: string; runId: number }[];
}

const dayMs = 24 * 60 * 60_000;

/** Keeps what claims tell about workers. */
export class Workers {
  readonly #clock: Clock;
  readonly #seen = new Map<string, SeenWorker>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes that the worker asked for work, or was declared. */
  saw(taskQueueId: string, { workerGroup, workerId }: WorkerName): SeenWorker {
    const nowMs = this.#clock.nowMs();
    const key = keyOf(taskQueueId, { workerGroup, workerId });
    const worker: SeenWorker = this.#seen.get(key) ?? {
      taskQueueId,
      workerGroup,
      workerId,
      firstClaimMs: nowMs,
      lastActiveMs: nowMs,
      expiresMs: 0,
      quarantines: [],
      recentTasks: [],
    };
    worker.lastActiveMs = nowMs;
    worker.expiresMs = Math.max(worker.expiresMs, nowMs + 5 * dayMs);
    this.#seen.set(key, worker);
    return worker;
  }

  /** Notes a claim. */
  claimed(worker: SeenWorker, run: { taskId: string; runId: number }): void {
    worker.recentTasks.push(run);
    if (worker.recentTasks.length > 20) worker.recentTasks.shift();
  }

  /** @throws ApiError ResourceNotFound */
  worker(taskQueueId: string, name: WorkerName): SeenWorker {
    const worker = this.#seen.get(keyOf(taskQueueId, name));
    if (worker) return worker;
    throw new ApiError(
      404,
      "ResourceNotFound",
      `Worker ${name.workerGroup}/${name.workerId} of ${taskQueueId} not found: it has never claimed work`,
    );
  }

  isQuarantined(worker: SeenWorker): boolean {
    return (worker.quarantineUntilMs ?? 0) > this.#clock.nowMs();
  }

  /** All workers, or those of one task queue, sorted by group and id. */
  list(taskQueueId?: string): SeenWorker[] {
    return [...this.#seen.entries()]
      .sort(([a], [b]) => a < b ? -1 : 1)
      .map(([, worker]) => worker)
      .filter((worker) => taskQueueId === undefined || worker.taskQueueId === taskQueueId);
  }
}

/** The body of `worker-response.json`. */
export function describeWorker(worker: SeenWorker) {
  const [provisionerId, workerType] = worker.taskQueueId.split("/");
  return {
    ...summarizeWorker(worker),
    provisionerId,
    workerType,
    taskQueueId: worker.taskQueueId,
    recentTasks: worker.recentTasks,
    expires: formatTimestamp(worker.expiresMs),
    quarantineDetails: worker.quarantines.map(({ clientId, updatedMs, untilMs, info }) => ({
      clientId,
      updatedAt: formatTimestamp(updatedMs),
      quarantineUntil: formatTimestamp(untilMs),
      quarantineInfo: info,
    })),
  };
}

/** What both a worker's own answer and a listing say. */
export function summarizeWorker(worker: SeenWorker) {
  const { workerGroup, workerId, firstClaimMs, lastActiveMs, quarantineUntilMs } = worker;
  return {
    workerGroup,
    workerId,
    firstClaim: formatTimestamp(firstClaimMs),
    lastDateActive: formatTimestamp(lastActiveMs),
    ...(quarantineUntilMs === undefined ? {} : { quarantineUntil: formatTimestamp(quarantineUntilMs) }),
  };
}

function keyOf(taskQueueId: string, { workerGroup, workerId }: WorkerName): string {
  return `${taskQueueId}/${workerGroup}/${workerId}`;
}
