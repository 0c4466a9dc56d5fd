/** Running a decompressor of a C library over a stream. */

import { Damage } from "../../archive_error.ts";
import { pieceBytes } from "../codec.ts";

/** What one step of a decompressor did. */
export interface Progress {
  readonly consumedBytes: number;
  readonly producedBytes: number;
}

/** Buffers at fixed addresses, for libraries that keep them in structures. */
export interface NativeBuffers {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly inputAddress: bigint;
  readonly outputAddress: bigint;
}

/** A decompressor of a C library. It takes input from and gives output to the buffers it was opened with. */
export interface NativeDecoder {
  /** Goes on with the input between two offsets; `last` when no more will come. @throws Damage */
  step(range: { startBytes: number; endBytes: number; last: boolean }): Progress;
  /** Whether the input may end here. */
  readonly complete: boolean;
  /** Frees what the library holds. */
  close(): void;
}

/** Opens a decompressor on the buffers; undefined when the host has no library for it. */
export type OpenNativeDecoder = (buffers: NativeBuffers) => NativeDecoder | undefined;

/** Where a view's memory is. It must be kept referenced for as long as the address is in use. */
export function addressOf(view: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(view)));
}

/** Fresh buffers. */
export function createNativeBuffers(): NativeBuffers {
  const input = new Uint8Array(new ArrayBuffer(pieceBytes));
  const output = new Uint8Array(new ArrayBuffer(pieceBytes));
  return { input, output, inputAddress: addressOf(input), outputAddress: addressOf(output) };
}

/** The decompressed stream. The decompressor is closed at its end, early or not. @throws Damage */
export function* decodeNatively(
  decoder: NativeDecoder,
  options: { buffers: NativeBuffers; input: Iterable<Uint8Array> },
): Generator<Uint8Array> {
  const { buffers, input } = options;
  try {
    for (const piece of input) {
      for (let at = 0; at < piece.length; at += pieceBytes) {
        const part = piece.subarray(at, at + pieceBytes);
        buffers.input.set(part);
        yield* steps(decoder, buffers, { endBytes: part.length, last: false });
      }
    }
    yield* steps(decoder, buffers, { endBytes: 0, last: true });
    if (!decoder.complete) throw new Damage("the compressed data is cut off");
  } finally {
    decoder.close();
  }
}

/** Libraries hold output back: they want more input only when they left room in the output. */
function* steps(
  decoder: NativeDecoder,
  buffers: NativeBuffers,
  range: { endBytes: number; last: boolean },
): Generator<Uint8Array> {
  let startBytes = 0;
  while (true) {
    const { consumedBytes, producedBytes } = decoder.step({ ...range, startBytes });
    startBytes += consumedBytes;
    if (producedBytes > 0) yield buffers.output.subarray(0, producedBytes);
    if (startBytes === range.endBytes && producedBytes < buffers.output.length) return;
    if (consumedBytes === 0 && producedBytes === 0) throw new Damage("the compressed data leads nowhere");
  }
}
