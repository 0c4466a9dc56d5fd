/** Zip archives put together byte by byte, so that they can be as wrong as a test wants. */

import { crc32, deflateRawSync } from "node:zlib";
import { bytesOf, joined } from "./tar_bytes.ts";

/** One entry. */
export interface ZipPart {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** Default 8, deflated. */
  readonly method?: number;
  /** Upper half of the attributes. Default a regular file of mode 0644. */
  readonly unixMode?: number;
  readonly flags?: number;
  /** What the table of contents says instead of the truth. */
  readonly says?: { readonly crc?: number; readonly size?: number; readonly offset?: number };
  /** Extra field of the table of contents. */
  readonly extra?: Uint8Array;
}

/** The archive of these entries. */
export function zipOf(parts: readonly ZipPart[], options: { prefix?: Uint8Array } = {}): Uint8Array {
  const pieces: Uint8Array[] = [];
  const table: Uint8Array[] = [];
  let offset = 0;
  for (const part of parts) {
    const local = localOf(part);
    table.push(tableEntry(part, offset));
    pieces.push(local);
    offset += local.length;
  }
  const contents = joined(table);
  const end = fields([[4, 0x06054b50], [2, 0], [2, 0], [2, parts.length], [2, parts.length], [
    4,
    contents.length,
  ], [
    4,
    offset,
  ], [2, 0]]);
  return joined([options.prefix ?? new Uint8Array(), ...pieces, contents, end]);
}

/** Little-endian numbers of so many bytes each. */
export function fields(numbers: readonly (readonly [widthBytes: number, value: number])[]): Uint8Array {
  return joined(numbers.map(([width, value]) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(value), true);
    return new Uint8Array(view.buffer, 0, width);
  }));
}

function localOf(part: ZipPart): Uint8Array {
  const name = bytesOf(part.name);
  const data = dataOf(part);
  const header = fields([
    [4, 0x04034b50],
    [2, 20],
    [2, part.flags ?? 0],
    [2, part.method ?? 8],
    [4, 0],
    [
      4,
      crc32(bytesOf(part.content ?? "")),
    ],
    [4, data.length],
    [4, bytesOf(part.content ?? "").length],
    [2, name.length],
    [2, 0],
  ]);
  return joined([header, name, data]);
}

function tableEntry(part: ZipPart, offset: number): Uint8Array {
  const name = bytesOf(part.name);
  const content = bytesOf(part.content ?? "");
  const extra = part.extra ?? new Uint8Array();
  const header = fields([
    [4, 0x02014b50],
    [2, (3 << 8) | 20],
    [2, 20],
    [2, part.flags ?? 0],
    [2, part.method ?? 8],
    [4, 0],
    [4, part.says?.crc ?? crc32(content)],
    [4, dataOf(part).length],
    [4, part.says?.size ?? content.length],
    [2, name.length],
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, (part.unixMode ?? 0o100644) * 65536],
    [4, part.says?.offset ?? offset],
  ]);
  return joined([header, name, extra]);
}

function dataOf(part: ZipPart): Uint8Array {
  const content = bytesOf(part.content ?? "");
  return (part.method ?? 8) === 8 ? deflateRawSync(content) : content;
}
