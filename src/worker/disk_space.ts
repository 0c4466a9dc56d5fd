/** Is there room for another task? (spec 01 §6.8) */

import { formatByteSize } from "../base/byte_size.ts";
import type { WorkerContext } from "../task/worker_context.ts";

const bytesPerMegabyte = 1024 * 1024;

/** Undefined when there is enough; else what is missing, in words. */
export function missingDiskSpace(worker: WorkerContext): string | undefined {
  const requiredBytes = worker.config.requiredDiskSpaceMegabytes * bytesPerMegabyte;
  const freeBytes = worker.platform.freeDiskBytes(worker.tasksDirectory);
  if (freeBytes >= requiredBytes) return undefined;
  return `${worker.tasksDirectory} has ${formatByteSize(freeBytes)} of free disk space, but ` +
    `requiredDiskSpaceMegabytes asks for ${formatByteSize(requiredBytes)}`;
}
