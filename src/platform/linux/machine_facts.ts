/** What the machine says about itself: memory, disk, when it started. */

import type { MemoryFacts } from "../platform.ts";
import { cString, errno, errorWords, libc } from "./libc.ts";
import { readSystemFile } from "./system_file.ts";

// `struct statvfs` begins alike on both 64 bit architectures: f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, …
const statvfsBytes = 256;
const fragmentSizeOffset = 8;
const availableBlocksOffset = 32;

/** Total and available memory (`MemTotal`, `MemAvailable`). @throws Error when /proc is not what it should be */
export function readMemory(): MemoryFacts {
  const text = readSystemFile("/proc/meminfo");
  return { totalBytes: memoryLine(text, "MemTotal"), availableBytes: memoryLine(text, "MemAvailable") };
}

function memoryLine(text: string, name: string): number {
  const kibibytes = new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(text)?.[1];
  if (kibibytes === undefined) {
    throw new Error(`Cannot read the memory figures: /proc/meminfo has no ${name}`);
  }
  return Number(kibibytes) * 1024;
}

/** Bytes an unprivileged user may still write where `path` lies. @throws Error when the path does not exist */
export function readFreeDiskBytes(path: string): number {
  const facts = new DataView(new ArrayBuffer(statvfsBytes));
  if (libc.statvfs(cString(path), facts) === -1) {
    throw new Error(`Cannot measure the free disk space at ${path}: ${errorWords(errno())}`);
  }
  const blocks = facts.getBigUint64(availableBlocksOffset, true);
  return Number(blocks * facts.getBigUint64(fragmentSizeOffset, true));
}

/** When the machine started, milliseconds since the epoch. */
export function readBootTimeMs(): number | undefined {
  const seconds = /^btime (\d+)$/m.exec(readSystemFile("/proc/stat"))?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
