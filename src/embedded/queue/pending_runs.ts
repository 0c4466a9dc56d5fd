/** Runs waiting for a worker, per task queue: the most urgent first, first come first served among equals. */

import type { Clock } from "../../base/clock.ts";
import { priorities, type Priority } from "./task_record.ts";

/** A run that waits. */
export interface PendingRun {
  readonly taskId: string;
  readonly runId: number;
  /** Milliseconds since the epoch. */
  readonly insertedMs: number;
}

/** The waiting runs of all task queues, and the workers that wait for them. */
export class PendingRuns {
  readonly #clock: Clock;
  readonly #queues = new Map<string, Map<Priority, Map<string, PendingRun>>>();
  readonly #waiting = new Map<string, Set<AbortController>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(taskQueueId: string, priority: Priority, run: Omit<PendingRun, "insertedMs">): void {
    const queue = this.#queues.get(taskQueueId) ?? emptyQueue();
    this.#queues.set(taskQueueId, queue);
    queue.get(priority)?.set(keyOf(run), { ...run, insertedMs: this.#clock.nowMs() });
    for (const waiter of this.#waiting.get(taskQueueId) ?? []) waiter.abort();
  }

  remove(taskQueueId: string, run: Omit<PendingRun, "insertedMs">): void {
    for (const runs of this.#queues.get(taskQueueId)?.values() ?? []) runs.delete(keyOf(run));
  }

  /** Takes out the next run. */
  take(taskQueueId: string): PendingRun | undefined {
    for (const runs of this.#queues.get(taskQueueId)?.values() ?? []) {
      for (const [key, run] of runs) {
        runs.delete(key);
        return run;
      }
    }
    return undefined;
  }

  /** In the order in which they will be taken. */
  list(taskQueueId: string): PendingRun[] {
    return [...this.#queues.get(taskQueueId)?.values() ?? []].flatMap((runs) => [...runs.values()]);
  }

  /** Resolves when a run arrives, after `durationMs`, or when the signal aborts. */
  async arrival(taskQueueId: string, durationMs: number, options: { signal: AbortSignal }): Promise<void> {
    const { signal } = options;
    const wake = new AbortController();
    const leave = () => wake.abort();
    const waiters = this.#waiting.get(taskQueueId) ?? new Set();
    this.#waiting.set(taskQueueId, waiters.add(wake));
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    await this.#clock.sleep(durationMs, wake.signal);
    signal.removeEventListener("abort", leave);
    waiters.delete(wake);
  }
}

function emptyQueue(): Map<Priority, Map<string, PendingRun>> {
  return new Map(priorities.map((priority) => [priority, new Map()]));
}

function keyOf(run: { taskId: string; runId: number }): string {
  return `${run.taskId}/${run.runId}`;
}
