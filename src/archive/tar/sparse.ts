/** Maps of sparse files in tar archives: GNU's old kind and pax 0.0, 0.1 and 1.0. */

import { Damage } from "../archive_error.ts";
import type { StepInput, Steps } from "../step_input.ts";
import { blockBytes, size } from "./header.ts";
import { paxSize } from "./pax.ts";

/** A stretch of data in a file that is otherwise holes. */
export interface Stretch {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** Where the stored data of a file belongs. */
export interface SparseMap {
  readonly stretches: readonly Stretch[];
  /** Size of the file with its holes. */
  readonly fileBytes: number;
}

const mostStretches = 1_000_000;

/** Reads the map that starts in a GNU sparse header (type S) and goes on in the blocks after it. @throws Damage */
export function* readOldSparseMap(header: Uint8Array, input: StepInput): Steps<SparseMap> {
  const fileBytes = size(header, 483, 12);
  const stretches = stretchesIn(header, 386, 4);
  let more = header[482] === 1;
  while (more) {
    const block = yield* input.exactly(blockBytes);
    stretches.push(...stretchesIn(block, 0, 21));
    limit(stretches.length);
    more = block[504] === 1;
  }
  return { stretches, fileBytes };
}

function stretchesIn(block: Uint8Array, at: number, count: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (let index = 0; index < count; index++, at += 24) {
    if (block[at] === 0) break;
    stretches.push({ offsetBytes: size(block, at, 12), sizeBytes: size(block, at + 12, 12) });
  }
  return stretches;
}

/** The map of pax 0.0 and 0.1, from offsets and sizes in turn. @throws Damage */
export function sparseMapOfNumbers(numbers: readonly string[], fileBytes: number): SparseMap {
  if (numbers.length % 2 !== 0) throw damaged();
  limit(numbers.length / 2);
  const stretches: Stretch[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    stretches.push({ offsetBytes: paxSize(numbers[at] ?? ""), sizeBytes: paxSize(numbers[at + 1] ?? "") });
  }
  return { stretches, fileBytes };
}

/** Reads the map of pax 1.0, lines of decimal numbers in front of the data, in whole blocks. @throws Damage */
export function* readLeadingSparseMap(input: StepInput, fileBytes: number): Steps<SparseMap> {
  const numbers: number[] = [];
  let wanted = 1;
  let digits = "";
  while (numbers.length < wanted) {
    const block = yield* input.exactly(blockBytes);
    for (const byte of block) {
      if (numbers.length === wanted) break;
      if (byte !== 0x0a) {
        digits += String.fromCharCode(byte);
        if (digits.length > 20) throw damaged();
        continue;
      }
      numbers.push(paxSize(digits));
      digits = "";
      if (numbers.length === 1) {
        limit(numbers[0] ?? 0);
        wanted += 2 * (numbers[0] ?? 0);
      }
    }
  }
  const stretches: Stretch[] = [];
  for (let at = 1; at < wanted; at += 2) {
    stretches.push({ offsetBytes: numbers[at] ?? 0, sizeBytes: numbers[at + 1] ?? 0 });
  }
  return { stretches, fileBytes };
}

/** Holds a map against the stored data: in order, no overlap, within the file, all data used. @throws Damage */
export function checkSparseMap(map: SparseMap, storedBytes: number): void {
  let end = 0;
  let data = 0;
  for (const { offsetBytes, sizeBytes } of map.stretches) {
    if (offsetBytes < end || offsetBytes + sizeBytes > map.fileBytes) throw damaged();
    end = offsetBytes + sizeBytes;
    data += sizeBytes;
  }
  if (data !== storedBytes) throw damaged();
}

function limit(count: number): void {
  if (count > mostStretches) throw new Damage("damaged sparse map: too many stretches");
}

function damaged(): Damage {
  return new Damage("damaged sparse map");
}
