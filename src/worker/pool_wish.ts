/** Does the pool want this worker to end? (spec 01 §6.1) */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import { ServiceError } from "../services/errors.ts";
import { poolId } from "../task/not_enabled.ts";
import type { WorkerContext } from "../task/worker_context.ts";

/** While worker-manager does not know the worker it is asked no more often than this (weakness K45). */
const askAgainMs = 10 * 60_000;
/** An answer is not worth holding up the loop for (weakness K3). */
const retryForMs = 30_000;

export class PoolWish {
  readonly #worker: WorkerContext;
  readonly #clock: Clock;
  #nextAskMs = -Infinity;

  constructor(worker: WorkerContext) {
    this.#worker = worker;
    this.#clock = worker.clock;
  }

  /** Asks worker-manager; no answer counts as no. */
  async shouldTerminate(): Promise<boolean> {
    if (this.#clock.monotonicMs() < this.#nextAskMs) return false;
    try {
      return (await this.#ask()).terminate;
    } catch (error) {
      this.#worker.log.warn(`Could not ask worker-manager whether to terminate: ${errorText(error)}`);
      if (error instanceof ServiceError && error.status === 404) {
        this.#nextAskMs = this.#clock.monotonicMs() + askAgainMs;
      }
      return false;
    }
  }

  #ask(): Promise<{ terminate: boolean }> {
    const { client, config, credentials } = this.#worker;
    return client.call({
      service: "worker-manager",
      name: "shouldWorkerTerminate",
      method: "GET",
      path: ["workers", poolId(config), config.workerGroup, config.workerId, "should-terminate"],
      credentials: credentials(),
      retryForMs,
    });
  }
}
