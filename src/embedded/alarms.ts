/** Things that must happen at a certain time of the clock: claims that end, deadlines that pass. */

import type { Clock } from "../base/clock.ts";

/** Set alarms; none goes off after `stop`. */
export class Alarms {
  readonly #clock: Clock;
  readonly #set = new Set<AbortController>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Runs `action` once the clock shows `atMs`, at once when it already does.
   * @returns takes the alarm back
   */
  set(atMs: number, action: () => void): () => void {
    const cancelled = new AbortController();
    this.#set.add(cancelled);
    void this.#wait(atMs, cancelled.signal).then(() => {
      this.#set.delete(cancelled);
      if (!cancelled.signal.aborted) action();
    });
    return () => cancelled.abort();
  }

  /** Takes all alarms back. */
  stop(): void {
    for (const alarm of this.#set) alarm.abort();
  }

  /** In steps: a single timer cannot wait longer than 24 days. */
  async #wait(atMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const leftMs = atMs - this.#clock.nowMs();
      if (leftMs <= 0) return;
      await this.#clock.sleep(leftMs, signal);
    }
  }
}
