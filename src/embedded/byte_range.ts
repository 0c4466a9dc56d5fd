/** Which part of a file a `Range` header asks for (RFC 9110 §14). */

import { StoreRefusal } from "./store_refusal.ts";

/** A part of a file. */
export interface ByteRange {
  readonly startBytes: number;
  /** Exclusive. */
  readonly endBytes: number;
  readonly partial: boolean;
}

/**
 * One range of the forms `a-b`, `a-` and `-n`; anything else is answered in full, as S3 does.
 * @throws StoreRefusal InvalidRange when nothing of the file is in the range
 */
export function requestedRange(header: string | undefined, sizeBytes: number): ByteRange {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return { startBytes: 0, endBytes: sizeBytes, partial: false };
  const startBytes = from === "" ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const endBytes = from === "" || to === "" ? sizeBytes : Math.min(sizeBytes, Number(to) + 1);
  if (startBytes < endBytes) return { startBytes, endBytes, partial: true };
  throw new StoreRefusal(416, "InvalidRange", "The requested range is not satisfiable");
}
