/** Sums up the samples of a machine's memory for a command's result block (spec 02 §10.1). */

import { formatByteSize } from "../../base/byte_size.ts";
import type { MemoryFacts } from "../../platform/platform.ts";
import type { ResultLine } from "../../task/task_run.ts";

export class MemoryStatistics {
  #samples = 0;
  #availableSumBytes = 0;
  #usedSumBytes = 0;
  #peakUsedBytes = 0;
  #totalBytes = 0;

  add({ totalBytes, availableBytes }: MemoryFacts): void {
    const usedBytes = totalBytes - availableBytes;
    if (this.#samples === 0) this.#totalBytes = totalBytes;
    this.#samples++;
    this.#availableSumBytes += availableBytes;
    this.#usedSumBytes += usedBytes;
    this.#peakUsedBytes = Math.max(this.#peakUsedBytes, usedBytes);
  }

  /** Four lines; none without a sample. */
  lines(): ResultLine[] {
    if (this.#samples === 0) return [];
    return [
      ["Average Available System Memory", formatByteSize(this.#availableSumBytes / this.#samples)],
      ["Average System Memory Used", formatByteSize(this.#usedSumBytes / this.#samples)],
      ["Peak System Memory Used", formatByteSize(this.#peakUsedBytes)],
      ["Total System Memory", formatByteSize(this.#totalBytes)],
    ];
  }
}
