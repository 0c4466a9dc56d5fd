/** How many artifacts a worker uploads at the same time, over all of its runs (weakness W-20). */

import pLimit from "p-limit";

/** Runs `upload` when there is room, first come first served. */
export type UploadSlots = <T>(upload: () => Promise<T>) => Promise<T>;

/** One for the worker; more than one run may use in full, less than would hurt a small machine. */
export function createUploadSlots(limit = 20): UploadSlots {
  return pLimit(limit);
}

/** One for the worker: a thread for each core, of which more than four would only wait for the disk. */
export function createCompressionSlots(cores = navigator.hardwareConcurrency): UploadSlots {
  return pLimit(Math.max(1, Math.min(cores, 4)));
}
