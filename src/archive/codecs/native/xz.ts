/** XZ by the host's liblzma. */

import { Damage } from "../../archive_error.ts";
import { openHostLibrary } from "./host_library.ts";
import type { OpenNativeDecoder } from "./native_decoder.ts";

/** More than any preset needs (65 MiB), less than would hurt the machine. */
const memoryLimitBytes = 512 * 1024 * 1024;
const concatenated = 8;
const run = 0;
const finish = 3;
const ok = 0;
const streamEnd = 1;
const bufferError = 10;

const reasons: ReadonlyMap<number, string> = new Map([
  [2, "it has no checksum"],
  [3, "its kind of checksum is not supported"],
  [5, "out of memory"],
  [6, "its dictionary needs more than 512 MiB of memory"],
  [7, "not in xz format"],
  [8, "its options are not supported"],
  [9, "it is corrupt"],
]);

/** Opens a decompressor for streams one after another. */
export const openNativeXz: OpenNativeDecoder = (buffers) => {
  const library = openHostLibrary("lzma", {
    lzma_stream_decoder: { parameters: ["buffer", "u64", "u32"], result: "i32" },
    lzma_code: { parameters: ["buffer", "i32"], result: "i32" },
    lzma_end: { parameters: ["buffer"], result: "void" },
  });
  if (library === undefined) return undefined;
  const c = library.symbols;
  // lzma_stream: next_in, avail_in, total_in, next_out, avail_out; all zero is its initial value.
  const stream = new BigUint64Array(17);
  let result = c.lzma_stream_decoder(stream, BigInt(memoryLimitBytes), concatenated);
  return {
    get complete() {
      return result === streamEnd;
    },
    step({ startBytes, endBytes, last }) {
      stream[0] = buffers.inputAddress + BigInt(startBytes);
      stream[1] = BigInt(endBytes - startBytes);
      stream[3] = buffers.outputAddress;
      stream[4] = BigInt(buffers.output.length);
      result = c.lzma_code(stream, last ? finish : run);
      if (result !== ok && result !== streamEnd && result !== bufferError) {
        throw new Damage(`damaged xz data: ${reasons.get(result) ?? `error ${result}`}`);
      }
      return {
        consumedBytes: endBytes - startBytes - Number(stream[1]),
        producedBytes: buffers.output.length - Number(stream[4]),
      };
    },
    close() {
      c.lzma_end(stream);
      library.close();
    },
  };
};
