/** Opens files by the C library, and says in the platform's terms why that failed. */

import { SystemError } from "../platform.ts";
import { cString, errno, errorName, errorNumbers, errorWords, libc } from "./libc.ts";

/** Opens a file with `flags` as open(2) takes them and gives the descriptor. @throws SystemError */
export function openDescriptor(path: string, flags: number): number {
  refuseNul(path);
  const fd = libc.open(cString(path), flags);
  if (fd === -1) throw systemError(errno(), path);
  return fd;
}

/** @throws SystemError when the path holds a NUL, at which the C library would take it to end */
export function refuseNul(path: string): void {
  if (path.includes("\0")) throw systemError(errorNumbers.EINVAL, path);
}

/** The error with that number, about a path. */
export function systemError(number: number, path: string): SystemError {
  return new SystemError(errorName(number), `${path}: ${errorWords(number)}`);
}
