/** Is there room for another task? (spec 01 §6.8) */

import { formatByteSize } from "../base/byte_size.ts";
import type { DiskNeed } from "../task/feature.ts";
import type { WorkerContext } from "../task/worker_context.ts";

const bytesPerMegabyte = 1024 * 1024;

/** How much room this worker wants to have before it claims. */
export function diskNeed({ config, platform, tasksDirectory }: WorkerContext): DiskNeed {
  return {
    requiredBytes: config.requiredDiskSpaceMegabytes * bytesPerMegabyte,
    freeBytes: () => platform.freeDiskBytes(tasksDirectory),
  };
}

/** Undefined when there is enough; else what is missing, in words. */
export function missingDiskSpace(worker: WorkerContext): string | undefined {
  const need = diskNeed(worker);
  const { requiredBytes } = need;
  const freeBytes = need.freeBytes();
  if (freeBytes >= requiredBytes) return undefined;
  return `${worker.tasksDirectory} has ${formatByteSize(freeBytes)} of free disk space, but ` +
    `requiredDiskSpaceMegabytes asks for ${formatByteSize(requiredBytes)}`;
}
