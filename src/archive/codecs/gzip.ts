/** Gzip, by the runtime's zlib: it takes files of several members and checks each one's checksum. */

import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";
import { type Codec, plainPieces, startsWith, zlibStreamOptions } from "./codec.ts";

/** Gzip files (RFC 1952). */
export const gzip: Codec = {
  name: "gz",
  matches: (head) => startsWith(head, [0x1f, 0x8b]),
  async *decode(input) {
    const gunzip = createGunzip(zlibStreamOptions);
    let sourceError: unknown;
    pipeline(Readable.from(remembering(input, (error) => sourceError = error)), gunzip, () => {});
    try {
      yield* plainPieces(gunzip);
    } catch (error) {
      throw sourceError ?? new Damage(`damaged gzip data: ${errorText(error)}`, { cause: error });
    } finally {
      gunzip.destroy();
    }
  },
};

/** Tells a failure to read from a failure to decompress: the stream reports both the same way. */
function* remembering(
  input: Iterable<Uint8Array>,
  onError: (error: unknown) => void,
): Generator<Uint8Array> {
  try {
    yield* input;
  } catch (error) {
    onError(error);
    throw error;
  }
}
