/** Bzip2 by the host's libbz2. */

import { Damage } from "../../archive_error.ts";
import { openHostLibrary } from "./host_library.ts";
import type { OpenNativeDecoder } from "./native_decoder.ts";

const streamBytes = 80;
const ok = 0;
const streamEnd = 4;
const notBzip2 = -5;

/** Opens a decompressor for streams one after another; what follows them and is none is passed over, as bzip2 does. */
export const openNativeBzip2: OpenNativeDecoder = (buffers) => {
  const library = openHostLibrary("bz2", {
    BZ2_bzDecompressInit: { parameters: ["buffer", "i32", "i32"], result: "i32" },
    BZ2_bzDecompress: { parameters: ["buffer"], result: "i32" },
    BZ2_bzDecompressEnd: { parameters: ["buffer"], result: "i32" },
  });
  if (library === undefined) return undefined;
  const c = library.symbols;
  // bz_stream: next_in at 0, avail_in at 8, next_out at 24, avail_out at 32.
  const stream = new Uint8Array(new ArrayBuffer(streamBytes));
  const view = new DataView(stream.buffer);
  let streams = 0;
  let started = false;
  let junk = false;
  c.BZ2_bzDecompressInit(stream, 0, 0);
  const restart = () => {
    c.BZ2_bzDecompressEnd(stream);
    stream.fill(0);
    c.BZ2_bzDecompressInit(stream, 0, 0);
    streams++;
    started = false;
  };
  return {
    get complete() {
      return junk || (streams > 0 && !started);
    },
    step({ startBytes, endBytes }) {
      const availableBytes = endBytes - startBytes;
      if (junk || availableBytes === 0 && !started) {
        return { consumedBytes: availableBytes, producedBytes: 0 };
      }
      view.setBigUint64(0, buffers.inputAddress + BigInt(startBytes), true);
      view.setUint32(8, availableBytes, true);
      view.setBigUint64(24, buffers.outputAddress, true);
      view.setUint32(32, buffers.output.length, true);
      started = true;
      const result = c.BZ2_bzDecompress(stream);
      const consumedBytes = availableBytes - view.getUint32(8, true);
      const producedBytes = buffers.output.length - view.getUint32(32, true);
      if (result === streamEnd) restart();
      else if (result === notBzip2 && streams > 0) junk = true;
      else if (result !== ok) throw new Damage(`damaged bzip2 data: error ${result}`);
      return { consumedBytes: junk ? availableBytes : consumedBytes, producedBytes };
    },
    close() {
      c.BZ2_bzDecompressEnd(stream);
      library.close();
    },
  };
};
