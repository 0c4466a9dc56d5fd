/** Undoes what a careless parent left in the worker's process, before children inherit it. */

import { listDirectory } from "./files.ts";
import { constants, libc } from "./libc.ts";
import { readSystemFile } from "./system_file.ts";

/** Keeps descriptors that the worker was started with from its tasks: one may be the worker-runner's (K18). */
export function hideInheritedDescriptors(): void {
  for (const { name } of listDirectory("/proc/self/fd")) {
    const fd = Number(name);
    if (fd > 2) libc.fcntl(fd, constants.F_SETFD, constants.FD_CLOEXEC);
  }
}

/** A parent that ignores SIGCHLD hands that down, and the system then tells nobody how children end. */
export function heedEndingChildren(): void {
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readSystemFile("/proc/self/status"))?.[1] ?? "0";
  const bit = 1n << BigInt(constants.SIGCHLD - 1);
  if ((BigInt(`0x${ignored}`) & bit) !== 0n) libc.signal(constants.SIGCHLD, null);
}
