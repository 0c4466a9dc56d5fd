/** The content of a file, piece by piece. */

import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";
import { pieceBytes } from "./codec.ts";

/** Yields a file's content in fresh pieces. @throws Damage when it can't be read */
export function* readPieces(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path);
  while (true) {
    const piece = new Uint8Array(pieceBytes);
    const sizeBytes = readInto(file, piece);
    if (sizeBytes === null) return;
    yield piece.subarray(0, sizeBytes);
  }
}

function readInto(file: Deno.FsFile, piece: Uint8Array): number | null {
  try {
    return file.readSync(piece);
  } catch (error) {
    throw new Damage(`the archive can't be read: ${errorText(error)}`, { cause: error });
  }
}
