/** The two ways to decompress a format: the host's own library where it is there, else a package that always is. */

import type { Codec } from "./codec.ts";
import { createNativeBuffers, decodeNatively, type OpenNativeDecoder } from "./native/native_decoder.ts";

/** Decompresses a stream without the host's help. */
export type Baseline = (input: Iterable<Uint8Array>) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A format with its two ways. */
export interface TieredFormat extends Omit<Codec, "decode"> {
  readonly native: OpenNativeDecoder;
  /** Loads what is always there; only called when needed, for it takes time and memory. */
  readonly loadBaseline: () => Promise<Baseline>;
}

/** The codec that takes the faster way the host allows. */
export function tiered(format: TieredFormat): Codec {
  return {
    name: format.name,
    matches: format.matches,
    async *decode(input) {
      const buffers = createNativeBuffers();
      const decoder = format.native(buffers);
      if (decoder) return yield* decodeNatively(decoder, { buffers, input });
      const baseline = await format.loadBaseline();
      yield* baseline(input);
    },
  };
}
