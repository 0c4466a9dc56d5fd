/** What a compression format has to offer for tarballs in it to be extracted. */

/** A compression format. */
export interface Codec {
  /** As in the format word: `gz` in `tar.gz`. */
  readonly name: string;
  /** Whether a file that starts with `head` (up to 512 bytes) is compressed this way. */
  matches(head: Uint8Array): boolean;
  /**
   * Decompresses all that `input` yields, to its end. A piece of output stays as it is until the next one is asked
   * for; pieces of input stay as they are for good.
   *
   * @throws Damage when the input is damaged or cut off
   */
  decode(input: Iterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

/** Size of the pieces that are read, decompressed and handed on; larger and smaller ones were no faster. */
export const pieceBytes = 256 * 1024;

/** Whether `head` starts with these bytes. */
export function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => head[at] === byte);
}

/** Options of the runtime's zlib streams. */
export const zlibStreamOptions = { chunkSize: pieceBytes, highWaterMark: pieceBytes };

/** The same bytes as a plain array: `slice` of a Node buffer does not copy, which whoever keeps a piece relies on. */
export async function* plainPieces(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
}
