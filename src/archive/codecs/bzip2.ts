/** Bzip2: the host's libbz2, else JavaScript. */

import { startsWith } from "./codec.ts";
import { openNativeBzip2 } from "./native/bzip2.ts";
import { tiered, type TieredFormat } from "./tiers.ts";

/** Both ways to decompress bzip2. */
export const bzip2Format: TieredFormat = {
  name: "bz2",
  matches: (head) => startsWith(head, [0x42, 0x5a, 0x68]) && isLevel(head[3]),
  native: openNativeBzip2,
  loadBaseline: async () => (await import("./baseline/bzip2.ts")).decodeBzip2,
};

/** Bzip2 streams. */
export const bzip2 = tiered(bzip2Format);

function isLevel(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x31 && byte <= 0x39;
}
