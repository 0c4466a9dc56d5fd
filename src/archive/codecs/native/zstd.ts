/** Zstandard by the host's libzstd. */

import { Damage } from "../../archive_error.ts";
import { openHostLibrary } from "./host_library.ts";
import type { OpenNativeDecoder } from "./native_decoder.ts";

const windowLogMax = 100;
/** Archives made with `--long=31` need it; the library's own limit is 27. */
const largestWindowLog = 31;

/** Opens a decompressor for frames one after another. */
export const openNativeZstd: OpenNativeDecoder = (buffers) => {
  const library = openHostLibrary("zstd", {
    ZSTD_createDCtx: { parameters: [], result: "pointer" },
    ZSTD_freeDCtx: { parameters: ["pointer"], result: "usize" },
    ZSTD_DCtx_setParameter: { parameters: ["pointer", "i32", "i32"], result: "usize" },
    ZSTD_decompressStream: { parameters: ["pointer", "buffer", "buffer"], result: "usize" },
    ZSTD_isError: { parameters: ["usize"], result: "u32" },
    ZSTD_getErrorName: { parameters: ["usize"], result: "pointer" },
  });
  if (library === undefined) return undefined;
  const c = library.symbols;
  const context = c.ZSTD_createDCtx();
  c.ZSTD_DCtx_setParameter(context, windowLogMax, largestWindowLog);
  const input = new BigUint64Array([buffers.inputAddress, 0n, 0n]);
  const output = new BigUint64Array([buffers.outputAddress, BigInt(buffers.output.length), 0n]);
  let wanted = 1n;
  return {
    get complete() {
      return wanted === 0n;
    },
    step({ startBytes, endBytes }) {
      input[1] = BigInt(endBytes);
      input[2] = BigInt(startBytes);
      output[2] = 0n;
      const result = c.ZSTD_decompressStream(context, output, input);
      if (c.ZSTD_isError(result)) {
        throw new Damage(`damaged zstd data: ${nameOf(c.ZSTD_getErrorName(result))}`);
      }
      const consumedBytes = Number(input[2]) - startBytes;
      const producedBytes = Number(output[2]);
      // With nothing to do at all it would ask for the next frame's header.
      if (consumedBytes > 0 || producedBytes > 0) wanted = result;
      return { consumedBytes, producedBytes };
    },
    close() {
      c.ZSTD_freeDCtx(context);
      library.close();
    },
  };
};

function nameOf(pointer: Deno.PointerValue): string {
  return pointer === null ? "unknown" : new Deno.UnsafePointerView(pointer).getCString().toLowerCase();
}
