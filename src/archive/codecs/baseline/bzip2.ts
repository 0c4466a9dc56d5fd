/** Bzip2 without the host's help, in JavaScript. */

import unbzip2Stream from "unbzip2-stream";
import { errorText } from "../../../base/error_text.ts";
import { Damage } from "../../archive_error.ts";

/** The stream of the package: what it has to say it says during a call. */
interface OldStream {
  write(bytes: Uint8Array): void;
  end(): void;
  on(event: "data", listener: (bytes: Uint8Array) => void): void;
  on(event: "error", listener: (error: unknown) => void): void;
}

/** So much input gives at most a few blocks of output at a time. */
const inputBytes = 64 * 1024;

/** Decompresses a stream. @throws Damage */
export function* decodeBzip2(input: Iterable<Uint8Array>): Generator<Uint8Array> {
  const createStream: () => OldStream = unbzip2Stream;
  const stream = createStream();
  let output: Uint8Array[] = [];
  stream.on("data", (bytes) => void output.push(bytes));
  stream.on("error", (error) => {
    throw new Damage(`damaged bzip2 data: ${errorText(error)}`, { cause: error });
  });
  let sawInput = false;
  for (const piece of input) {
    for (let at = 0; at < piece.length; at += inputBytes) {
      sawInput = true;
      stream.write(piece.slice(at, at + inputBytes));
      yield* output;
      output = [];
    }
  }
  if (!sawInput) throw new Damage("the compressed data is cut off");
  stream.end();
  yield* output;
}
