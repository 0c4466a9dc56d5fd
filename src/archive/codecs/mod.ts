/** The compression formats of tarballs. */

import type { Codec } from "./codec.ts";
import { bzip2 } from "./bzip2.ts";
import { gzip } from "./gzip.ts";
import { lz4 } from "./lz4.ts";
import { xz } from "./xz.ts";
import { zstd } from "./zstd.ts";

/** All of them; a new one is a row here and its name in the format word. */
export const codecs: readonly Codec[] = [bzip2, gzip, lz4, xz, zstd];

/** The codec of that name. */
export function codecNamed(name: string): Codec | undefined {
  return codecs.find((codec) => codec.name === name);
}
