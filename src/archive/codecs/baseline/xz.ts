/** XZ without the host's help, by WebAssembly. SHA-256 checks and filters for machine code are refused. */

import xzDecompress from "xz-decompress";
import { errorText } from "../../../base/error_text.ts";
import { Damage } from "../../archive_error.ts";

/** Decompresses a stream. @throws Damage */
export async function* decodeXz(input: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let sourceError: unknown;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      try {
        const next = pieces.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        sourceError = error;
        controller.error(error);
      }
    },
  });
  const pieces = input[Symbol.iterator]();
  try {
    for await (const piece of new xzDecompress.XzReadableStream(source)) yield piece;
  } catch (error) {
    throw sourceError ?? new Damage(`damaged xz data: ${errorText(error)}`, { cause: error });
  } finally {
    pieces.return?.();
  }
}
