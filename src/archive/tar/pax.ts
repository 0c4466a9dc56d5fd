/** Extended headers of POSIX (pax) archives. */

import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import type { FileTime } from "../../platform/safe_tree.ts";
import { Damage } from "../archive_error.ts";

/** Records in the order they stand in, values as raw bytes. */
export type PaxRecords = readonly (readonly [key: string, value: RawPath])[];

const decimal = /^[0-9]+$/;
const fraction = /^(-?[0-9]+)(?:\.([0-9]*))?$/;

/** Splits the records `<length> <key>=<value>\n`. @throws Damage */
export function parsePaxRecords(bytes: Uint8Array): PaxRecords {
  const records: [string, RawPath][] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? "" : rawPathOfBytes(bytes.subarray(at, space));
    const end = decimal.test(digits) ? at + Number(digits) : 0;
    if (end <= space + 1 || end > bytes.length || bytes[end - 1] !== 0x0a) throw damaged();
    const record = rawPathOfBytes(bytes.subarray(space + 1, end - 1));
    const equals = record.indexOf("=");
    if (equals <= 0) throw damaged();
    records.push([record.slice(0, equals), record.slice(equals + 1)]);
    at = end;
  }
  return records;
}

/** A count of bytes in decimal. @throws Damage */
export function paxSize(value: string): number {
  const parsed = decimal.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(parsed)) throw damaged();
  return parsed;
}

/** A time with any number of decimals. @throws Damage */
export function paxTime(value: string): FileTime {
  const match = fraction.exec(value);
  if (match === null) throw damaged();
  const whole = Number(match[1]);
  const nanoseconds = Number((match[2] ?? "").slice(0, 9).padEnd(9, "0"));
  const negative = value.startsWith("-") && nanoseconds > 0;
  return negative
    ? { seconds: whole - 1, nanoseconds: 1_000_000_000 - nanoseconds }
    : { seconds: whole, nanoseconds };
}

function damaged(): Damage {
  return new Damage("damaged pax header");
}
