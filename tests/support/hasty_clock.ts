/** A clock on which sleeping takes no time, so that retries of many minutes are over at once. */

import type { Clock } from "../../src/base/clock.ts";

/** The wall clock is real; the other one jumps ahead by every sleep. */
export class HastyClock implements Clock {
  #sleptMs = 0;

  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now() + this.#sleptMs;
  }

  /** All sleeps together. */
  get sleptMs(): number {
    return this.#sleptMs;
  }

  sleep(durationMs: number): Promise<void> {
    this.#sleptMs += durationMs;
    return Promise.resolve();
  }
}
