/** The C library's file calls that name a file by a directory's descriptor and raw bytes. */

import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import type { FileTime } from "../safe_tree.ts";

type Bytes = Uint8Array;

const symbols = {
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  strerror: { parameters: ["i32"], result: "pointer" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

const eintr = 4;
const longestTargetBytes = 4096;
const emptyPath = 0x1000;
const linkItself = 0x100;
const utimeOmit = 0x3ffffffe;
const typeBits = 0o170000;
const regularFile = 0o100000;
const modeAndLinks = 0x1 | 0x2 | 0x4;
const noName = new Uint8Array(1);

/** File calls; results and errno as in C, interrupted calls repeated. Names end in NUL. */
export interface Libc {
  openat(directoryFd: number, name: Bytes, options: { flags: number; mode?: number }): number;
  mkdirat(directoryFd: number, name: Bytes, mode: number): number;
  symlinkat(target: Bytes, directoryFd: number, name: Bytes): number;
  linkat(from: readonly [fd: number, name: Bytes], to: readonly [fd: number, name: Bytes]): number;
  unlinkat(directoryFd: number, name: Bytes): number;
  /** Where a link leads; undefined with the reason in errno. */
  readlinkat(directoryFd: number, name: Bytes): RawPath | undefined;
  write(fd: number, bytes: Bytes): number;
  pwrite(fd: number, bytes: Bytes, offsetBytes: number): number;
  truncate(fd: number, sizeBytes: number): number;
  fchmod(fd: number, mode: number): number;
  status(fd: number): { readonly regular: boolean; readonly links: number } | undefined;
  setModified(fd: number, time: FileTime): number;
  /** Of a link itself. */
  setModifiedAt(directoryFd: number, name: Bytes, time: FileTime): number;
  closeFd(fd: number): number;
  errno(): number;
  /** The system's words for errno, in lower case: `no space left on device`. */
  errorText(): string;
  /** Releases the library. */
  close(): void;
}

/** Loads the calls. They work on the thread that loaded them, because errno belongs to a thread. */
export function openLibc(): Libc {
  const library = Deno.dlopen("libc.so.6", symbols);
  const c = library.symbols;
  const status = new Uint8Array(256);
  const statusView = new DataView(status.buffer);
  const errnoCell = errnoOfThisThread(c.__errno_location());
  const errno = () => errnoCell[0] ?? 0;
  const again = (result: number) => result < 0 && errno() === eintr;
  return {
    openat(directoryFd, name, { flags, mode = 0 }) {
      let fd;
      do fd = c.openat(directoryFd, name, flags, mode); while (again(fd));
      return fd;
    },
    mkdirat: c.mkdirat,
    symlinkat: c.symlinkat,
    linkat: (from, to) => c.linkat(from[0], from[1], to[0], to[1], 0),
    unlinkat: (directoryFd, name) => c.unlinkat(directoryFd, name, 0),
    readlinkat(directoryFd, name) {
      const target = new Uint8Array(longestTargetBytes);
      const length = c.readlinkat(directoryFd, name, target, BigInt(target.length));
      return length < 0 ? undefined : rawPathOfBytes(target.subarray(0, length));
    },
    write(fd, bytes) {
      let written;
      do written = c.write(fd, bytes, BigInt(bytes.length)); while (again(written));
      return written;
    },
    pwrite(fd, bytes, offsetBytes) {
      let written;
      do written = c.pwrite(fd, bytes, BigInt(bytes.length), BigInt(offsetBytes)); while (again(written));
      return written;
    },
    truncate: (fd, sizeBytes) => c.ftruncate(fd, BigInt(sizeBytes)),
    fchmod: c.fchmod,
    status(fd) {
      if (c.statx(fd, noName, emptyPath, modeAndLinks, status) !== 0) return undefined;
      return {
        regular: (statusView.getUint16(28, true) & typeBits) === regularFile,
        links: statusView.getUint32(16, true),
      };
    },
    setModified: (fd, time) => c.futimens(fd, timesOf(time)),
    setModifiedAt: (directoryFd, name, time) => c.utimensat(directoryFd, name, timesOf(time), linkItself),
    closeFd: c.close,
    errno,
    errorText() {
      const text = c.strerror(errno());
      const words = text === null ? "unknown error" : new Deno.UnsafePointerView(text).getCString();
      return words.charAt(0).toLowerCase() + words.slice(1);
    },
    close: () => library.close(),
  };
}

/** Read in place: a call to fetch it could itself change it. */
function errnoOfThisThread(address: Deno.PointerValue): Int32Array {
  if (address === null) throw new Error("The C library has no place for errno");
  return new Int32Array(new Deno.UnsafePointerView(address).getArrayBuffer(4));
}

/** Two timespecs: access time left alone, modification time set. */
function timesOf(time: FileTime): Bytes {
  const times = new DataView(new ArrayBuffer(32));
  times.setBigInt64(8, BigInt(utimeOmit), true);
  times.setBigInt64(16, BigInt(time.seconds), true);
  times.setBigInt64(24, BigInt(time.nanoseconds), true);
  return new Uint8Array(times.buffer);
}
