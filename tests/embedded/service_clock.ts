/** The clock of service tests: it stands still, and tells the time as API bodies do. */

import { FakeClock } from "../support/fake_clock.ts";

/** Starts at 2030-01-01T00:00:00.000Z. */
export class ServiceClock extends FakeClock {
  constructor() {
    super(Date.UTC(2030, 0, 1));
  }

  /** The timestamp `durationMs` from now, before now when negative. */
  timestamp(durationMs = 0): string {
    return new Date(this.nowMs() + durationMs).toISOString();
  }
}

export const hourMs = 60 * 60 * 1000;
export const dayMs = 24 * hourMs;
