/** Opens files and lists directories where the runtime would block on a FIFO or lose a name. */

import { Buffer } from "node:buffer";
import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import { type DirectoryName, type OpenedFile, SystemError } from "../platform.ts";
import {
  constants,
  cString,
  directoryFlags,
  errno,
  errorName,
  errorNumbers,
  errorWords,
  libc,
} from "./libc.ts";

const listBufferBytes = 64 << 10;
const nameOffset = 19;
const lengthOffset = 16;

/** Opens for reading without blocking; see `Platform.openFile`. @throws SystemError */
export function openFile(path: string): OpenedFile {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_CLOEXEC } = constants;
  const fd = openFd(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  try {
    // The descriptor pins the file: what is found and opened by this name is the file looked at, whatever happens.
    const pinned = `/proc/self/fd/${fd}`;
    const facts = Deno.statSync(pinned);
    return { facts, file: facts.isFile ? Deno.openSync(pinned) : undefined };
  } finally {
    libc.close(fd);
  }
}

/** Names in a directory in byte order; see `Platform.listDirectory`. @throws SystemError */
export function listDirectory(path: string): DirectoryName[] {
  const { O_DIRECTORY, O_NOFOLLOW } = directoryFlags;
  const fd = openFd(path, constants.O_RDONLY | constants.O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
  try {
    return rawNames(fd, path).sort().map(decodeName);
  } finally {
    libc.close(fd);
  }
}

function openFd(path: string, flags: number): number {
  if (path.includes("\0")) throw systemError(errorNumbers.EINVAL, path);
  const fd = libc.open(cString(path), flags);
  if (fd === -1) throw systemError(errno(), path);
  return fd;
}

/** As raw strings: arrays of bytes take ten times the memory, which counts in directories of 100 000 files. */
function rawNames(fd: number, path: string): RawPath[] {
  const names: RawPath[] = [];
  const buffer = new Uint8Array(new ArrayBuffer(listBufferBytes));
  const view = new DataView(buffer.buffer);
  while (true) {
    const count = libc.getdents64(fd, buffer, BigInt(buffer.length));
    if (count === -1) throw systemError(errno(), path);
    if (count === 0) return names;
    for (let at = 0; at < count; at += view.getUint16(at + lengthOffset, true)) {
      const name = rawPathOfBytes(buffer.subarray(at + nameOffset, buffer.indexOf(0, at + nameOffset)));
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}

function decodeName(raw: RawPath): DirectoryName {
  if (isAscii(raw)) return { name: raw, exact: true };
  const bytes = Buffer.from(raw, "latin1");
  try {
    return { name: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), exact: true };
  } catch {
    return { name: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), exact: false };
  }
}

function isAscii(raw: RawPath): boolean {
  return !/[\x80-\xff]/.test(raw);
}

function systemError(number: number, path: string): SystemError {
  return new SystemError(errorName(number), `${path}: ${errorWords(number)}`);
}
