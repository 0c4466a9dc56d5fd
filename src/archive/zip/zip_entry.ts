/** One entry of a zip archive's table of contents. */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import type { FileTime } from "../../platform/safe_tree.ts";
import { Damage } from "../archive_error.ts";
import type { Entry } from "../entry_writer.ts";
import { type CentralDirectory, extraField, zip64Sizes } from "./central_directory.ts";
import { rawPathOfCp437 } from "./cp437.ts";

/** What an entry is. */
export type ZipEntryType = "file" | "directory" | "symlink" | "special";

/** An entry and how its data is stored. */
export interface ZipEntry extends Entry {
  readonly type: ZipEntryType;
  /** 0 stored, 8 deflated; others are not supported. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
}

const utf8Flag = 1 << 11;
const encryptedFlags = 1 | (1 << 6) | (1 << 13);
const ascii = /^[\x20-\x7e]*$/;
const unicodePath = 0x7075;
const extendedTimestamp = 0x5455;
const unix = 3;
const darwin = 19;

/** Parses the entry that starts at `at` in the table. @param options.times whether to look at its time @throws Damage */
export function parseZipEntry(
  directory: CentralDirectory,
  at: number,
  options: { times: boolean },
): ZipEntry {
  const { bytes } = directory;
  const flags = bytes.getUint16(at + 8, true);
  const sizes = zip64Sizes(bytes, at);
  const name = nameOf(bytes, at, flags);
  const { type, mode } = kindOf(bytes, at, name);
  return {
    name,
    type,
    mode,
    ...(options.times && { modified: modifiedOf(bytes, at) }),
    method: bytes.getUint16(at + 10, true),
    encrypted: (flags & encryptedFlags) !== 0,
    crc: bytes.getUint32(at + 16, true),
    compressedBytes: sizes.compressedBytes,
    sizeBytes: sizes.sizeBytes,
    offsetBytes: sizes.offsetBytes + directory.prefixBytes,
  };
}

/**
 * UTF-8 where it is marked; else what an extra field says, else as it is when it happens to be UTF-8 (zip on Unix does
 * not mark it), else code page 437.
 */
function nameOf(bytes: DataView<ArrayBuffer>, at: number, flags: number): RawPath {
  const stored = part(bytes, at + 46, bytes.getUint16(at + 28, true));
  const name = rawPathOfBytes(stored);
  if (flags & utf8Flag || ascii.test(name)) return name;
  const field = extraField(bytes, at, unicodePath);
  const length = field === undefined ? 0 : bytes.getUint16(field + 2, true) - 5;
  if (field !== undefined && length > 0 && bytes.getUint32(field + 5, true) === crc32(stored)) {
    return rawPathOfBytes(part(bytes, field + 9, length));
  }
  return isUtf8(stored) ? name : rawPathOfCp437(name);
}

function isUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString("utf8").indexOf("\ufffd") < 0;
}

/** Unix keeps type and mode in the upper half of the attributes; other systems say only "read only". */
function kindOf(bytes: DataView, at: number, name: RawPath): { type: ZipEntryType; mode: number } {
  const system = bytes.getUint8(at + 5);
  const attributes = bytes.getUint32(at + 38, true);
  const unixMode = system === unix || system === darwin ? attributes >>> 16 : 0;
  if (name.endsWith("/")) return { type: "directory", mode: unixMode & 0o7777 || 0o777 };
  const readOnly = (attributes & 1) !== 0;
  if (unixMode === 0) return { type: "file", mode: readOnly ? 0o444 : 0o666 };
  return { type: unixTypes.get(unixMode & 0o170000) ?? "special", mode: unixMode & 0o7777 };
}

const unixTypes: ReadonlyMap<number, ZipEntryType> = new Map([
  [0, "file"],
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
]);

/** The extended timestamp, which is exact; else the date of DOS, which has no zone, taken as local time. */
function modifiedOf(bytes: DataView, at: number): FileTime {
  const field = extraField(bytes, at, extendedTimestamp);
  if (field !== undefined && bytes.getUint16(field + 2, true) >= 5 && (bytes.getUint8(field + 4) & 1) !== 0) {
    return { seconds: bytes.getInt32(field + 5, true), nanoseconds: 0 };
  }
  const time = bytes.getUint16(at + 12, true);
  const date = bytes.getUint16(at + 14, true);
  const local = new Date(
    1980 + (date >> 9),
    ((date >> 5) & 15) - 1,
    date & 31,
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
  return { seconds: Math.floor(local.getTime() / 1000), nanoseconds: 0 };
}

function part(bytes: DataView<ArrayBuffer>, at: number, sizeBytes: number): Uint8Array {
  if (at + sizeBytes > bytes.byteLength) throw new Damage("the zip archive's table of contents is damaged");
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, sizeBytes);
}
