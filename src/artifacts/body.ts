/** What is sent for an artifact: bytes whose number is known before the first is sent. */

import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { StoredGzip } from "../base/gzip_member.ts";
import { type ByteSource, readFully } from "./byte_source.ts";
import type { ContentHash } from "./content_hash.ts";

/** A body in memory, or one read while it is sent. */
export type Body = BytesBody | StreamBody;

export interface BytesBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface StreamBody {
  readonly lengthBytes: number;
  /** Starts over and gives a function that reads piece after piece; a piece is valid until the next call. */
  open(): Promise<() => Promise<Uint8Array | undefined>>;
}

/** Size of a body as it is sent. */
export function bodyLength(body: Body): number {
  return "bytes" in body ? body.bytes.length : body.lengthBytes;
}

/** Large enough for the system calls not to count, small enough for twenty at a time. */
const pieceBytes = 256 * 1024;

export interface StreamOptions {
  readonly sizeBytes: number;
  /** Told of all content on its way. */
  readonly hash?: ContentHash;
}

/** The first `sizeBytes` of the source as they are. */
export function identityBody(source: ByteSource, { sizeBytes, hash }: StreamOptions): StreamBody {
  return {
    lengthBytes: sizeBytes,
    async open() {
      await source.seek(0);
      const hashing = new Hashing(hash, sizeBytes);
      const buffer = Buffer.allocUnsafeSlow(pieceBytes);
      return async () => {
        const count = hashing.leftBytes === 0 ? 0 : await source.read(buffer.subarray(0, hashing.leftBytes));
        if (count === 0) return undefined;
        const piece = buffer.subarray(0, count);
        hashing.pass(piece);
        return piece;
      };
    },
  };
}

/** The first `sizeBytes` of the source in a gzip frame, uncompressed. */
export function storedGzipBody(
  source: ByteSource,
  { sizeBytes, hash, path }: StreamOptions & { path: string },
): StreamBody {
  const naming = { fileName: basename(path) };
  return {
    lengthBytes: new StoredGzip(sizeBytes, naming).lengthBytes,
    async open() {
      const member = new StoredGzip(sizeBytes, naming);
      const read = await identityPieces(source, { sizeBytes, ...(hash ? { hash } : {}) });
      const framed = Buffer.allocUnsafeSlow(StoredGzip.framedPieceBytes);
      let header: Uint8Array | undefined = member.header;
      return async () => {
        if (header) {
          const first = header;
          header = undefined;
          return first;
        }
        const piece = await read();
        return piece === undefined ? undefined : member.frame(piece, framed);
      };
    },
  };
}

/** Pieces of exactly the size that stored blocks are counted by, and what is left in the last. */
async function identityPieces(
  source: ByteSource,
  { sizeBytes, hash }: StreamOptions,
): Promise<() => Promise<Uint8Array | undefined>> {
  await source.seek(0);
  const hashing = new Hashing(hash, sizeBytes);
  const buffer = Buffer.allocUnsafeSlow(StoredGzip.pieceBytes);
  let pieces = 0;
  return async () => {
    // Even nothing at all is one block.
    if (hashing.leftBytes === 0 && pieces > 0) return undefined;
    const piece = await readFully(source, buffer.subarray(0, hashing.leftBytes));
    if (piece.length === 0 && hashing.leftBytes > 0) return undefined;
    pieces++;
    hashing.pass(piece);
    return piece;
  };
}

/** Counts what is still to come, and hashes what passes; complete with the last byte, which may be the last asked for. */
class Hashing {
  readonly #hash: ContentHash | undefined;
  #leftBytes: number;

  constructor(hash: ContentHash | undefined, sizeBytes: number) {
    this.#hash = hash;
    this.#leftBytes = sizeBytes;
    hash?.restart();
    if (sizeBytes === 0) hash?.finish();
  }

  get leftBytes(): number {
    return this.#leftBytes;
  }

  pass(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#hash?.update(piece);
    this.#leftBytes -= piece.length;
    if (this.#leftBytes === 0) this.#hash?.finish();
  }
}
