/** The table of contents at the end of a zip archive, zip64 included. */

import { Damage } from "../archive_error.ts";
import type { Seekable } from "./seekable.ts";

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const entrySignature = 0x02014b50;
const endBytes = 22;
const locator64Bytes = 20;
const end64Bytes = 56;
const longestCommentBytes = 0xffff;
const mostDirectoryBytes = 512 * 1024 * 1024;
const entryBytes = 46;

/** The table of contents: entries as they stand in it, to be parsed one at a time. */
export interface CentralDirectory {
  readonly bytes: DataView<ArrayBuffer>;
  /** Where in `bytes` each entry starts, in the order in which their data lies in the file. */
  readonly entries: Uint32Array;
  /** Bytes in front of the archive that its offsets do not count, for instance a program. */
  readonly prefixBytes: number;
  /** Where in the file the table starts. */
  readonly offsetBytes: number;
}

interface End {
  readonly entries: number;
  readonly sizeBytes: number;
  readonly offsetBytes: number;
  /** Where the table must end in the file. */
  readonly endsAtBytes: number;
}

/** Finds and reads the table. @throws Damage when there is none or it contradicts itself */
export function readCentralDirectory(file: Seekable): CentralDirectory {
  const end = findEnd(file);
  const offsetBytes = end.endsAtBytes - end.sizeBytes;
  const prefixBytes = offsetBytes - end.offsetBytes;
  if (prefixBytes < 0 || end.sizeBytes < end.entries * entryBytes) throw damaged();
  if (end.sizeBytes > mostDirectoryBytes) {
    throw new Damage("the zip archive's table of contents is too large");
  }
  const bytes = viewOf(file.read(offsetBytes, end.sizeBytes).slice());
  return { bytes, entries: entriesIn(bytes, end.entries), prefixBytes, offsetBytes };
}

function findEnd(file: Seekable): End {
  const tailBytes = Math.min(file.sizeBytes, endBytes + longestCommentBytes);
  const tailOffset = file.sizeBytes - tailBytes;
  const tail = viewOf(file.read(tailOffset, tailBytes).slice());
  for (let at = tailBytes - endBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== endSignature) continue;
    if (at + endBytes + tail.getUint16(at + 20, true) > tailBytes) continue;
    return endAt(file, tail, { at, offsetBytes: tailOffset + at });
  }
  throw new Damage("this is no zip archive, or it is cut off: it has no table of contents");
}

function endAt(file: Seekable, tail: DataView, place: { at: number; offsetBytes: number }): End {
  const { at, offsetBytes } = place;
  const end = {
    entries: tail.getUint16(at + 10, true),
    sizeBytes: tail.getUint32(at + 12, true),
    offsetBytes: tail.getUint32(at + 16, true),
    endsAtBytes: offsetBytes,
  };
  const disks = [tail.getUint16(at + 4, true), tail.getUint16(at + 6, true)];
  const large = end.entries === 0xffff || end.sizeBytes === 0xffffffff || end.offsetBytes === 0xffffffff;
  const end64 = large ? findEnd64(file, offsetBytes) : undefined;
  if (end64) return end64;
  if (disks.some((disk) => disk !== 0)) throw severalVolumes();
  return end;
}

/** The zip64 end record, when the locator for one stands in front of the ordinary one. */
function findEnd64(file: Seekable, endOffset: number): End | undefined {
  const locatorOffset = endOffset - locator64Bytes;
  if (locatorOffset < end64Bytes) return undefined;
  const locator = viewOf(file.read(locatorOffset, locator64Bytes).slice());
  if (locator.getUint32(0, true) !== locator64Signature) return undefined;
  if (locator.getUint32(16, true) > 1) throw severalVolumes();
  // With bytes in front of the archive the noted offset is wrong: then the record is where it usually is.
  for (const offset of [Number(locator.getBigUint64(8, true)), locatorOffset - end64Bytes]) {
    if (offset > locatorOffset - end64Bytes) continue;
    const record = viewOf(file.read(offset, end64Bytes).slice());
    if (record.getUint32(0, true) !== end64Signature) continue;
    return {
      entries: count64(record, 32),
      sizeBytes: count64(record, 40),
      offsetBytes: count64(record, 48),
      endsAtBytes: offset,
    };
  }
  throw damaged();
}

/** Where each entry starts, by where its data is. */
function entriesIn(bytes: DataView, count: number): Uint32Array {
  const starts = new Uint32Array(count);
  let at = 0;
  let sorted = true;
  let last = -1;
  for (let index = 0; index < count; index++) {
    if (at + entryBytes > bytes.byteLength || bytes.getUint32(at, true) !== entrySignature) throw damaged();
    starts[index] = at;
    const offset = roughOffset(bytes, at);
    sorted &&= offset >= last;
    last = offset;
    at += entryBytes + bytes.getUint16(at + 28, true) + bytes.getUint16(at + 30, true) +
      bytes.getUint16(at + 32, true);
  }
  if (at > bytes.byteLength) throw damaged();
  return sorted ? starts : starts.sort((a, b) => localOffset(bytes, a) - localOffset(bytes, b));
}

/** Offset of an entry's own header as noted, not counting what is in front of the archive. */
export function localOffset(bytes: DataView, at: number): number {
  const offset = bytes.getUint32(at + 42, true);
  return offset === 0xffffffff ? zip64Sizes(bytes, at).offsetBytes : offset;
}

function roughOffset(bytes: DataView, at: number): number {
  const extraEnd = at + entryBytes + bytes.getUint16(at + 28, true) + bytes.getUint16(at + 30, true);
  return extraEnd > bytes.byteLength ? 0 : localOffset(bytes, at);
}

/** Sizes and offset of an entry, from its zip64 extra field where the plain fields say so. @throws Damage */
export function zip64Sizes(
  bytes: DataView,
  at: number,
): { compressedBytes: number; sizeBytes: number; offsetBytes: number } {
  const plain = [24, 20, 42].map((field) => bytes.getUint32(at + field, true));
  if (plain.includes(0xffffffff)) {
    let next = extraField(bytes, at, 1);
    const end = next === undefined ? 0 : next + 4 + bytes.getUint16(next + 2, true);
    if (next !== undefined) next += 4;
    for (let index = 0; index < plain.length; index++) {
      if (plain[index] !== 0xffffffff) continue;
      if (next === undefined || next + 8 > end) break;
      plain[index] = count64(bytes, next);
      next += 8;
    }
  }
  const [sizeBytes = 0, compressedBytes = 0, offsetBytes = 0] = plain;
  return { sizeBytes, compressedBytes, offsetBytes };
}

/** Where the extra field of that number starts, with its four bytes of number and size. */
export function extraField(bytes: DataView, at: number, number: number): number | undefined {
  let next = at + entryBytes + bytes.getUint16(at + 28, true);
  const end = next + bytes.getUint16(at + 30, true);
  while (next + 4 <= end) {
    const fieldEnd = next + 4 + bytes.getUint16(next + 2, true);
    if (fieldEnd > end) return undefined;
    if (bytes.getUint16(next, true) === number) return next;
    next = fieldEnd;
  }
  return undefined;
}

function count64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw damaged();
  return value;
}

function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  const copy = bytes.buffer instanceof ArrayBuffer ? bytes.buffer : bytes.slice().buffer;
  return new DataView(copy, bytes.byteOffset, bytes.byteLength);
}

function severalVolumes(): Damage {
  return new Damage("the zip archive is in several volumes, which is not supported");
}

function damaged(): Damage {
  return new Damage("the zip archive's table of contents is damaged");
}
