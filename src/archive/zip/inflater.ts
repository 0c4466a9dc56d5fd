/** Inflating small zip entries: by the host's zlib, else by the runtime's. */

import { inflateRawSync } from "node:zlib";
import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";
import { openHostLibrary } from "../codecs/native/host_library.ts";

/** Inflates entries one after another. */
export interface Inflater {
  /** Compressed entries above this size are too much for one call. */
  readonly mostCompressedBytes: number;
  /**
   * The content, of at most `sizeBytes`. Valid until the next call.
   *
   * @throws Damage when it is damaged or has more bytes
   */
  inflate(compressed: Uint8Array, sizeBytes: number): Uint8Array;
  /** Frees what a library holds. */
  close(): void;
}

/** Entries up to this size are inflated in one call. */
export const smallBytes = 1024 * 1024;

/** The faster one the host allows. */
export function openInflater(): Inflater {
  return openNativeInflater() ?? runtimeInflater;
}

/**
 * Makes a new decompressor for each entry, which takes longer than most entries. Older runtimes ignore the limit
 * of output, so input is bounded: deflate makes at most 1032 bytes of one.
 */
export const runtimeInflater: Inflater = {
  mostCompressedBytes: 16 * 1024,
  inflate(compressed, sizeBytes) {
    try {
      const limit = Math.max(sizeBytes, 64);
      const content = inflateRawSync(compressed, { maxOutputLength: limit, chunkSize: limit });
      if (content.length > sizeBytes) throw tooLarge();
      return content;
    } catch (error) {
      throw error instanceof Damage
        ? error
        : new Damage(`damaged zip entry: ${errorText(error)}`, { cause: error });
    }
  },
  close() {},
};

const streamBytes = 112;
const rawWindow = -15;
const finish = 4;
const streamEnd = 1;
const bufferError = -5;

/** Uses one decompressor for all entries; undefined when the host has no zlib. */
export function openNativeInflater(): Inflater | undefined {
  const library = openHostLibrary("z", {
    inflateInit2_: { parameters: ["buffer", "i32", "buffer", "i32"], result: "i32" },
    inflateReset: { parameters: ["buffer"], result: "i32" },
    inflate: { parameters: ["buffer", "i32"], result: "i32" },
    inflateEnd: { parameters: ["buffer"], result: "i32" },
  });
  if (library === undefined) return undefined;
  const c = library.symbols;
  // z_stream: next_in at 0, avail_in at 8, next_out at 24, avail_out at 32.
  const stream = new Uint8Array(new ArrayBuffer(streamBytes));
  const view = new DataView(stream.buffer);
  const input = new Uint8Array(new ArrayBuffer(smallBytes));
  // One byte more shows that an entry has more than it declares.
  const output = new Uint8Array(new ArrayBuffer(smallBytes + 1));
  if (c.inflateInit2_(stream, rawWindow, new TextEncoder().encode("1.2.0\0"), streamBytes) !== 0) {
    library.close();
    return undefined;
  }
  const inputAddress = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(input)));
  const outputAddress = BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(output)));
  return {
    mostCompressedBytes: smallBytes,
    inflate(compressed, sizeBytes) {
      input.set(compressed);
      c.inflateReset(stream);
      view.setBigUint64(0, inputAddress, true);
      view.setUint32(8, compressed.length, true);
      view.setBigUint64(24, outputAddress, true);
      view.setUint32(32, sizeBytes + 1, true);
      const result = c.inflate(stream, finish);
      const producedBytes = sizeBytes + 1 - view.getUint32(32, true);
      if (producedBytes > sizeBytes) throw tooLarge();
      if (result === bufferError) throw new Damage("damaged zip entry: it is cut off");
      if (result !== streamEnd) throw new Damage(`damaged zip entry: zlib error ${result}`);
      return output.subarray(0, producedBytes);
    },
    close() {
      c.inflateEnd(stream);
      library.close();
    },
  };
}

function tooLarge(): Damage {
  return new Damage("the zip entry has more bytes than it declares");
}
