/** What is sent for an artifact: bytes whose number is known before the first is sent. */

import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { basename } from "node:path";
import { StoredGzip } from "../base/gzip_member.ts";
import { type ByteSource, readFully } from "./byte_source.ts";

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

/** The hash of everything that was read in the last pass that came to its end. */
export class ContentHash {
  #hash: Hash | undefined;
  #sha256: string | undefined;

  restart(): void {
    this.#hash = createHash("sha256");
    this.#sha256 = undefined;
  }

  update(piece: Uint8Array): void {
    this.#hash?.update(piece);
  }

  finish(): void {
    this.#sha256 ??= this.#hash?.digest("hex");
  }

  /** Lower-case hex; undefined before the end of a pass. */
  get sha256(): string | undefined {
    return this.#sha256;
  }
}

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
      hash?.restart();
      const buffer = Buffer.allocUnsafeSlow(pieceBytes);
      let leftBytes = sizeBytes;
      return async () => {
        const count = leftBytes === 0 ? 0 : await source.read(buffer.subarray(0, leftBytes));
        if (count === 0) return void hash?.finish();
        leftBytes -= count;
        const piece = buffer.subarray(0, count);
        hash?.update(piece);
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
  hash?.restart();
  const buffer = Buffer.allocUnsafeSlow(StoredGzip.pieceBytes);
  let leftBytes = sizeBytes;
  let pieces = 0;
  return async () => {
    // Even nothing at all is one block.
    if (leftBytes === 0 && pieces > 0) return void hash?.finish();
    const piece = await readFully(source, buffer.subarray(0, leftBytes));
    if (piece.length === 0 && leftBytes > 0) return undefined;
    pieces++;
    leftBytes -= piece.length;
    hash?.update(piece);
    return piece;
  };
}
