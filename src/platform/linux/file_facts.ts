/** What a file is, asked of the C library: the runtime does not look at /proc and /dev for everybody. */

import type { FileFacts, FileKind } from "../platform.ts";
import { constants, cString, errno, libc } from "./libc.ts";
import { refuseNul, systemError } from "./open_descriptor.ts";

// `struct statx`, alike on all architectures.
const statxBytes = 256;
const modeOffset = 28;
const sizeOffset = 40;
const STATX_TYPE = 0x1;
const STATX_SIZE = 0x200;

const typeBits = 0o170000;
const kinds: Readonly<Record<number, FileKind>> = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "symlink",
};
const specials: Readonly<Record<number, NonNullable<FileFacts["special"]>>> = {
  0o010000: "fifo",
  0o140000: "socket",
  0o020000: "device",
  0o060000: "device",
};

/** Facts of what is open. @throws SystemError about `path` */
export function factsOfDescriptor(fd: number, path: string): FileFacts {
  return ask(fd, "", { flags: constants.AT_EMPTY_PATH, path });
}

/** Facts of what is at a path. @throws SystemError */
export function factsOfPath(path: string, options: { readonly follow: boolean }): FileFacts {
  refuseNul(path);
  return ask(constants.AT_FDCWD, path, { flags: options.follow ? 0 : constants.AT_SYMLINK_NOFOLLOW, path });
}

function ask(fd: number, name: string, { flags, path }: { flags: number; path: string }): FileFacts {
  const facts = new DataView(new ArrayBuffer(statxBytes));
  if (libc.statx(fd, cString(name), flags, STATX_TYPE | STATX_SIZE, facts) === -1) {
    throw systemError(errno(), path);
  }
  const type = facts.getUint16(modeOffset, true) & typeBits;
  const special = specials[type];
  return {
    kind: kinds[type] ?? "other",
    sizeBytes: Number(facts.getBigUint64(sizeOffset, true)),
    ...(special ? { special } : {}),
  };
}
