/** Zstandard: the host's libzstd, else WebAssembly. */

import { startsWith } from "./codec.ts";
import { openNativeZstd } from "./native/zstd.ts";
import { tiered, type TieredFormat } from "./tiers.ts";

/** Both ways to decompress Zstandard (RFC 8878). */
export const zstdFormat: TieredFormat = {
  name: "zst",
  matches: (head) => startsWith(head, [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableFrame(head),
  native: openNativeZstd,
  loadBaseline: async () => (await import("./baseline/zstd.ts")).decodeZstd,
};

/** Zstandard frames. */
export const zstd = tiered(zstdFormat);

/** pzstd puts a frame to be skipped in front. */
function isSkippableFrame(head: Uint8Array): boolean {
  return ((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18]);
}
