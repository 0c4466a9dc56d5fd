/** One 512-byte header block of a tar archive: v7, ustar, GNU or star. */

import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import { Damage } from "../archive_error.ts";

/** Size of a tar block. */
export const blockBytes = 512;

/** The fields of a header block that extracting needs. */
export interface TarHeader {
  readonly name: RawPath;
  readonly linkName: RawPath;
  readonly mode: number;
  readonly sizeBytes: number;
  /** Seconds since the epoch. */
  readonly modifiedSeconds: number;
  /** One character; NUL is given as "0". */
  readonly type: string;
}

/** Whether a block is nothing but zeros, which ends an archive. */
export function isZeroBlock(block: Uint8Array): boolean {
  for (let at = 0; at < blockBytes; at++) if (block[at] !== 0) return false;
  return true;
}

/** Whether the block's checksum is right, taken over unsigned or, as old writers did, signed bytes. */
export function hasValidChecksum(block: Uint8Array): boolean {
  const stored = octal(block, 148, 8);
  if (stored === undefined) return false;
  let sum = 8 * 0x20;
  let signed = sum;
  for (let at = 0; at < blockBytes; at++) {
    if (at === 148) at = 156;
    const byte = block[at] ?? 0;
    sum += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return stored === sum || stored === signed;
}

/** @throws Damage when the checksum or a number is wrong */
export function parseTarHeader(block: Uint8Array): TarHeader {
  if (!hasValidChecksum(block)) throw new Damage("damaged tar header: wrong checksum");
  const name = text(block, 0, 100);
  const prefix = prefixOf(block);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    mode: number(block, 100, 8, "mode"),
    sizeBytes: size(block, 124, 12),
    modifiedSeconds: number(block, 136, 12, "time"),
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
  };
}

/** A size of `width` bytes at `at`. @throws Damage when it is no number, negative, or beyond what can be counted */
export function size(block: Uint8Array, at: number, width: number): number {
  const value = number(block, at, width, "size");
  if (value < 0 || !Number.isSafeInteger(value)) throw new Damage("damaged tar header: impossible size");
  return value;
}

/** Only POSIX archives have a prefix field: GNU keeps times and the map of sparse files in its place. */
function prefixOf(block: Uint8Array): RawPath {
  const posix = block[257] === 0x75 && block[262] === 0 && text(block, 257, 6) === "ustar";
  if (!posix) return "";
  const star = text(block, 508, 4) === "tar";
  return text(block, 345, star ? 131 : 155);
}

function text(block: Uint8Array, at: number, width: number): RawPath {
  let end = at;
  while (end < at + width && block[end] !== 0) end++;
  return end === at ? "" : rawPathOfBytes(block.subarray(at, end));
}

/** Octal digits, or a big-endian two's complement number marked by the top bit. */
function number(block: Uint8Array, at: number, width: number, field: string): number {
  const value = (block[at] ?? 0) & 0x80 ? binary(block, at, width) : octal(block, at, width);
  if (value === undefined) throw new Damage(`damaged tar header: the ${field} is not a number`);
  return value;
}

function octal(block: Uint8Array, at: number, width: number): number | undefined {
  const end = at + width;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at] ?? 0;
    if (byte === 0 || byte === 0x20) return value;
    if (byte < 0x30 || byte > 0x37) return undefined;
    value = value * 8 + byte - 0x30;
  }
  return value;
}

function binary(block: Uint8Array, at: number, width: number): number {
  const first = block[at] ?? 0;
  let value = first & 0x40 ? (first & 0x7f) - 128 : first & 0x7f;
  for (let next = at + 1; next < at + width; next++) value = value * 256 + (block[next] ?? 0);
  return value;
}
