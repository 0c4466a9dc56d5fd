/** Reading exact numbers of bytes from pieces of any size. */

import { Damage } from "../../archive_error.ts";

/** Takes pieces as it needs them. */
export class ExactReader {
  readonly #pieces: Iterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(input: Iterable<Uint8Array>) {
    this.#pieces = input[Symbol.iterator]();
  }

  /** Exactly so many bytes. @throws Damage when there are fewer */
  read(sizeBytes: number): Uint8Array {
    const bytes = this.readOrEnd(sizeBytes);
    if (bytes === undefined) throw new Damage("the compressed data is cut off");
    return bytes;
  }

  /** Exactly so many bytes, or undefined when there are none at all. @throws Damage when there are fewer */
  readOrEnd(sizeBytes: number): Uint8Array | undefined {
    if (sizeBytes <= this.#piece.length) return this.#take(sizeBytes);
    const parts = [];
    let missing = sizeBytes;
    while (missing > 0) {
      if (this.#piece.length === 0 && !this.#next()) {
        if (missing === sizeBytes) return undefined;
        throw new Damage("the compressed data is cut off");
      }
      const part = this.#take(Math.min(missing, this.#piece.length));
      parts.push(part);
      missing -= part.length;
    }
    return joined(parts, sizeBytes);
  }

  #next(): boolean {
    const next = this.#pieces.next();
    if (next.done) return false;
    this.#piece = next.value;
    return true;
  }

  #take(sizeBytes: number): Uint8Array {
    const bytes = this.#piece.subarray(0, sizeBytes);
    this.#piece = this.#piece.subarray(sizeBytes);
    return bytes;
  }
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const all = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
