/** The compression formats of tarballs. */

import type { Codec } from "./codec.ts";
import { gzip } from "./gzip.ts";

/** All of them; a new one is a row here and its name in the format word. */
export const codecs: readonly Codec[] = [gzip];

/** The codec of that name. */
export function codecNamed(name: string): Codec | undefined {
  return codecs.find((codec) => codec.name === name);
}
