/**
 * Reads files that the kernel makes up while they are read (/proc). The runtime opens those only for programs that hold
 * every permission, and reads each in more calls than it takes.
 */

import { constants, errno, libc } from "./libc.ts";
import { openDescriptor, systemError } from "./open_descriptor.ts";

/** Holds all that /proc says of a process in one piece, but for a long environment. */
const firstPieceBytes = 4096;

/** The whole content. @throws SystemError when it can't be opened or read */
export function readSystemFile(path: string): string {
  const fd = openDescriptor(path, constants.O_RDONLY | constants.O_CLOEXEC);
  try {
    return readToEnd(fd, path);
  } finally {
    libc.close(fd);
  }
}

/** The content, or undefined when it can't be read: the process it tells of has ended or is somebody else's. */
export function readSystemFileIfThere(path: string): string | undefined {
  try {
    return readSystemFile(path);
  } catch {
    return undefined;
  }
}

function readToEnd(fd: number, path: string): string {
  let bytes = new Uint8Array(firstPieceBytes);
  let filled = 0;
  while (true) {
    const count = libc.read(fd, bytes.subarray(filled), BigInt(bytes.length - filled));
    if (count === -1) throw systemError(errno(), path);
    if (count === 0) return new TextDecoder().decode(bytes.subarray(0, filled));
    filled += count;
    if (filled === bytes.length) bytes = enlarged(bytes);
  }
}

function enlarged(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 4);
  larger.set(bytes);
  return larger;
}
