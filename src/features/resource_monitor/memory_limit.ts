/** Decides when the machine has been short of memory for too long (spec 02 §10.1, "Limit"). */

import type { MemoryFacts } from "../../platform/platform.ts";

export interface MemoryLimitOptions {
  readonly maxUsagePercent: number;
  readonly minAvailableBytes: number;
  /** The shortage must last longer than this. */
  readonly allowedMs: number;
}

/** `below`: fine, or not for long enough; `crossed`: once per shortage, at the first sample beyond; then `above`. */
export type LimitState = "below" | "crossed" | "above";

export class MemoryLimit {
  readonly #options: MemoryLimitOptions;
  #sinceMs: number | undefined;
  #crossed = false;

  constructor(options: MemoryLimitOptions) {
    this.#options = options;
  }

  /** Takes a sample and its moment; one sample within the limits ends the shortage. */
  judge(sample: MemoryFacts, atMs: number): LimitState {
    if (!this.#isShort(sample)) {
      this.#sinceMs = undefined;
      this.#crossed = false;
      return "below";
    }
    this.#sinceMs ??= atMs;
    if (this.#crossed) return "above";
    this.#crossed = atMs - this.#sinceMs > this.#options.allowedMs;
    return this.#crossed ? "crossed" : "below";
  }

  #isShort({ totalBytes, availableBytes }: MemoryFacts): boolean {
    const usedPercent = (totalBytes - availableBytes) / totalBytes * 100;
    return usedPercent > this.#options.maxUsagePercent && availableBytes < this.#options.minAvailableBytes;
  }
}
