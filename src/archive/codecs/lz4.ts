/** LZ4: the host's liblz4, else JavaScript. */

import { startsWith } from "./codec.ts";
import { openNativeLz4 } from "./native/lz4.ts";
import { tiered, type TieredFormat } from "./tiers.ts";

/** Both ways to decompress LZ4 frames. */
export const lz4Format: TieredFormat = {
  name: "lz4",
  matches: (head) => startsWith(head, [0x04, 0x22, 0x4d, 0x18]),
  native: openNativeLz4,
  loadBaseline: async () => (await import("./baseline/lz4.ts")).decodeLz4,
};

/** LZ4 frames. */
export const lz4 = tiered(lz4Format);
