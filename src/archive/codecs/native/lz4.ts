/** LZ4 frames by the host's liblz4. */

import { Damage } from "../../archive_error.ts";
import { openHostLibrary } from "./host_library.ts";
import type { OpenNativeDecoder } from "./native_decoder.ts";

const version = 100;

/** Opens a decompressor for frames one after another, skippable ones included. */
export const openNativeLz4: OpenNativeDecoder = (buffers) => {
  const library = openHostLibrary("lz4", {
    LZ4F_createDecompressionContext: { parameters: ["buffer", "u32"], result: "usize" },
    LZ4F_freeDecompressionContext: { parameters: ["pointer"], result: "usize" },
    LZ4F_decompress: {
      parameters: ["pointer", "buffer", "buffer", "buffer", "buffer", "pointer"],
      result: "usize",
    },
    LZ4F_isError: { parameters: ["usize"], result: "u32" },
    LZ4F_getErrorName: { parameters: ["usize"], result: "pointer" },
  });
  if (library === undefined) return undefined;
  const c = library.symbols;
  const cell = new BigUint64Array(1);
  c.LZ4F_createDecompressionContext(cell, version);
  const context = Deno.UnsafePointer.create(cell[0] ?? 0n);
  const inputSize = new BigUint64Array(1);
  const outputSize = new BigUint64Array(1);
  let wanted = 1n;
  return {
    get complete() {
      return wanted === 0n;
    },
    step({ startBytes, endBytes }) {
      inputSize[0] = BigInt(endBytes - startBytes);
      outputSize[0] = BigInt(buffers.output.length);
      const from = buffers.input.subarray(startBytes);
      const result = c.LZ4F_decompress(context, buffers.output, outputSize, from, inputSize, null);
      if (c.LZ4F_isError(result)) {
        throw new Damage(`damaged lz4 data: ${nameOf(c.LZ4F_getErrorName(result))}`);
      }
      const consumedBytes = Number(inputSize[0]);
      const producedBytes = Number(outputSize[0]);
      if (consumedBytes > 0 || producedBytes > 0) wanted = result;
      return { consumedBytes, producedBytes };
    },
    close() {
      c.LZ4F_freeDecompressionContext(context);
      library.close();
    },
  };
};

function nameOf(pointer: Deno.PointerValue): string {
  return pointer === null ? "unknown" : new Deno.UnsafePointerView(pointer).getCString();
}
