/** Slows a transfer of bytes down to a rate: a fault. */

import type { Clock } from "../base/clock.ts";

/** Keeps a transfer at a rate, by waiting after each piece. */
export class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;

  /** @param bytesPerSecond undefined: as fast as it goes */
  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** How much to read at once, so that the pauses stay short. */
  get chunkBytes(): number {
    if (this.#bytesPerSecond === undefined) return 512 * 1024;
    return Math.max(1, Math.min(64 * 1024, Math.floor(this.#bytesPerSecond / 10)));
  }

  /** Takes the time that this many bytes may take. */
  async wait(bytes: number): Promise<void> {
    if (this.#bytesPerSecond !== undefined) await this.#clock.sleep(1000 * bytes / this.#bytesPerSecond);
  }
}
