/** Bytes handed to a reader piece by piece, whichever way they arrive. */

import { Damage } from "./archive_error.ts";

/** A reader that stops wherever it needs the next piece of input. */
export type Steps<T = void> = Generator<void, T, void>;

/**
 * Input of a reader written as a generator: it yields when it wants more, its driver then calls `push` or `end`. Small
 * pieces of work need no waiting and no promise each, yet whoever drives it may wait as long as it likes.
 */
export class StepInput {
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;
  #ended = false;
  #offsetBytes = 0;

  /** Bytes taken so far. */
  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  /** Gives the next piece; only when the reader has asked for more. It must stay as it is until it asks again. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Says that there is no more. */
  end(): void {
    this.push(new Uint8Array());
    this.#ended = true;
  }

  /** Exactly so many bytes if they are here already. Valid until the reader yields. */
  take(sizeBytes: number): Uint8Array | undefined {
    const end = this.#at + sizeBytes;
    if (end > this.#chunk.length) return undefined;
    const bytes = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    this.#offsetBytes += sizeBytes;
    return bytes;
  }

  /** Between 1 and `mostBytes` bytes. @throws Damage at the end of input */
  *some(mostBytes: number): Steps<Uint8Array> {
    while (this.#at === this.#chunk.length) {
      if (this.#ended) throw this.#cut();
      yield;
    }
    const bytes = this.#chunk.subarray(this.#at, this.#at + mostBytes);
    this.#at += bytes.length;
    this.#offsetBytes += bytes.length;
    return bytes;
  }

  /** Exactly so many bytes, or undefined when the input ends right here. @throws Damage when it ends half-way */
  *gather(sizeBytes: number): Steps<Uint8Array | undefined> {
    const here = this.take(sizeBytes);
    if (here !== undefined) return here;
    if (yield* this.#atEnd()) return undefined;
    const gathered = new Uint8Array(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const part = yield* this.some(sizeBytes - filled);
      gathered.set(part, filled);
      filled += part.length;
    }
    return gathered;
  }

  /** Exactly so many bytes. @throws Damage at the end of input */
  *exactly(sizeBytes: number): Steps<Uint8Array> {
    const bytes = this.take(sizeBytes) ?? (yield* this.gather(sizeBytes));
    if (bytes === undefined) throw this.#cut();
    return bytes;
  }

  /** Passes over so many bytes. @throws Damage at the end of input */
  *skip(sizeBytes: number): Steps {
    for (let left = sizeBytes; left > 0;) left -= (yield* this.some(left)).length;
  }

  /** Passes over all that is left. */
  *skipAll(): Steps {
    while (!(yield* this.#atEnd())) yield* this.some(Infinity);
  }

  #cut(): Damage {
    return new Damage(`the archive is cut off at byte ${this.#offsetBytes}`);
  }

  *#atEnd(): Steps<boolean> {
    while (this.#at === this.#chunk.length) {
      if (this.#ended) return true;
      yield;
    }
    return false;
  }
}
