/** Hashes of content, computed while it passes by. */

import { createHash, type Hash } from "node:crypto";

export type HashAlgorithm = "sha256" | "sha512";

/** Lower-case hex, by algorithm. */
export type ContentHashes = Readonly<Partial<Record<HashAlgorithm, string>>>;

/** The hashes of everything that was read in the last pass that came to its end. */
export class ContentHash {
  readonly #algorithms: readonly HashAlgorithm[];
  #running: readonly (readonly [HashAlgorithm, Hash])[] = [];
  #values: ContentHashes = {};

  constructor(algorithms: readonly HashAlgorithm[]) {
    this.#algorithms = algorithms;
  }

  restart(): void {
    this.#running = this.#algorithms.map((algorithm) => [algorithm, createHash(algorithm)]);
    this.#values = {};
  }

  update(piece: Uint8Array): void {
    for (const [, hash] of this.#running) hash.update(piece);
  }

  finish(): void {
    this.#values = Object.fromEntries(
      this.#running.map(([algorithm, hash]) => [algorithm, hash.digest("hex")]),
    );
    this.#running = [];
  }

  /** Empty before the end of a pass. */
  get values(): ContentHashes {
    return this.#values;
  }
}

/** The hashes of bytes at hand. */
export function hashesOf(bytes: Uint8Array, algorithms: readonly HashAlgorithm[]): ContentHashes {
  const hash = new ContentHash(algorithms);
  hash.restart();
  hash.update(bytes);
  hash.finish();
  return hash.values;
}
