/** Opens files and lists directories where the runtime would block on a FIFO or lose a name. */

import { Buffer } from "node:buffer";
import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import type { DirectoryName, FileFacts, OpenedFile } from "../platform.ts";
import { factsOfDescriptor, factsOfPath } from "./file_facts.ts";
import { constants, directoryFlags, errno, libc } from "./libc.ts";
import { openDescriptor, systemError } from "./open_descriptor.ts";
import { LinuxReadableFile } from "./readable_file.ts";

const listBufferBytes = 64 << 10;
const nameOffset = 19;
const lengthOffset = 16;

/** Opens for reading without blocking; see `Platform.openFile`. @throws SystemError */
export function openFile(path: string): OpenedFile {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_CLOEXEC } = constants;
  const fd = openDescriptor(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  let file: LinuxReadableFile | undefined;
  try {
    const facts = factsOfDescriptor(fd, path);
    if (facts.kind === "file") file = new LinuxReadableFile(fd, path);
    return { facts, file };
  } finally {
    if (file === undefined) libc.close(fd);
  }
}

/** Facts without following a final symlink; see `Platform.lookAt`. @throws SystemError */
export function lookAt(path: string): FileFacts {
  return factsOfPath(path, { follow: false });
}

/** Names in a directory in byte order; see `Platform.listDirectory`. @throws SystemError */
export function listDirectory(path: string): DirectoryName[] {
  const { O_DIRECTORY, O_NOFOLLOW } = directoryFlags;
  const fd = openDescriptor(path, constants.O_RDONLY | constants.O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
  try {
    return rawNames(fd, path).sort().map(decodeName);
  } finally {
    libc.close(fd);
  }
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
