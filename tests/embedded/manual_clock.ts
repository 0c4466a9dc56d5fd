/** A clock for tests of services: it stands still until moved. */

import type { Clock } from "../../src/base/clock.ts";

/** Starts at 2030-01-01T00:00:00.000Z. Nothing under test here sleeps, so sleeping is an error. */
export class ManualClock implements Clock {
  #nowMs = Date.UTC(2030, 0, 1);

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(): Promise<void> {
    throw new Error("Nothing may sleep on this clock");
  }

  advance(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  /** The timestamp `durationMs` from now, before now when negative. */
  timestamp(durationMs = 0): string {
    return new Date(this.#nowMs + durationMs).toISOString();
  }
}

export const hourMs = 60 * 60 * 1000;
export const dayMs = 24 * hourMs;
