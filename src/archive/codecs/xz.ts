/** XZ: the host's liblzma, else WebAssembly. */

import { startsWith } from "./codec.ts";
import { openNativeXz } from "./native/xz.ts";
import { tiered, type TieredFormat } from "./tiers.ts";

/** Both ways to decompress xz. */
export const xzFormat: TieredFormat = {
  name: "xz",
  matches: (head) => startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  native: openNativeXz,
  loadBaseline: async () => (await import("./baseline/xz.ts")).decodeXz,
};

/** XZ streams. */
export const xz = tiered(xzFormat);
