/** Zstandard without the host's help, by WebAssembly. Windows over 128 MiB are refused. */

import { ZSTDDecoder } from "zstddec/stream";
import { errorText } from "../../../base/error_text.ts";
import { Damage } from "../../archive_error.ts";

/** The decoder takes all that is offered in pieces of at most this size. */
const inputBytes = 64 * 1024;

/** Decompresses a stream of frames. @throws Damage */
export async function* decodeZstd(input: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const guard = new Guard();
  const pieces = decoder.decodeStreaming(guard.watch(input));
  while (true) {
    const piece = nextPiece(pieces);
    if (piece === undefined) break;
    guard.check(piece);
    if (piece.length > 0) yield piece;
  }
  if (!guard.sawInput) throw new Damage("the compressed data is cut off");
}

function nextPiece(pieces: Generator<Uint8Array>): Uint8Array | undefined {
  try {
    const next = pieces.next();
    return next.done ? undefined : next.value;
  } catch (error) {
    if (error instanceof Damage) throw error;
    throw new Damage(`damaged zstd data: ${errorText(error)}`, { cause: error });
  }
}

/**
 * The decoder ignores error codes and would go on for ever with corrupt data. A call that is right consumes or
 * produces, so more calls without output than there are bytes of input mean that it is stuck.
 */
class Guard {
  sawInput = false;
  #patience = 0;

  *watch(input: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const piece of input) {
      for (let at = 0; at < piece.length; at += inputBytes) {
        const part = piece.subarray(at, at + inputBytes);
        this.sawInput = true;
        this.#patience = part.length + 1;
        yield part;
      }
    }
  }

  check(piece: Uint8Array): void {
    if (piece.length > 0) return;
    if (--this.#patience < 0) throw new Damage("damaged zstd data");
  }
}
