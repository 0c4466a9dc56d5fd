/** Turns the content of a file into the body to send, in its content encoding, in as little work as possible. */

import { Buffer } from "node:buffer";
import { basename, join } from "node:path";
import { v4 } from "slugid";
import { errorText } from "../base/error_text.ts";
import { gzipBytes, gzipPieceBytes, isIncompressible } from "../base/gzip_member.ts";
import type { ContentEncoding } from "./artifact.ts";
import { ArtifactError } from "./artifact_error.ts";
import { type Body, identityBody, storedGzipBody } from "./body.ts";
import { type ByteSource, openOwnFile, readFully } from "./byte_source.ts";
import { ContentHash, type ContentHashes, type HashAlgorithm, hashesOf } from "./content_hash.ts";
import { CopyError, GzipSink } from "./gzip_sink.ts";
import { ThreadedGzipSink } from "./threaded_gzip_sink.ts";
import type { UploadSlots } from "./upload_slots.ts";

/** Up to this size a file is read, compressed and sent in memory. */
export const inMemoryBytes = 1024 * 1024;
const sampleBytes = 64 * 1024;
/** From this size on another thread compresses; for smaller ones starting it costs more than it saves. */
const threadFromBytes = 8 * 1024 * 1024;

export interface EncodeOptions {
  readonly contentEncoding: ContentEncoding;
  readonly sizeBytes: number;
  /** Of the original, for the gzip header. */
  readonly path: string;
  /** Where a compressed copy may lie for a while. */
  readonly temporaryDirectory: string;
  readonly signal: AbortSignal;
  /** Limits how many large files are compressed at the same time. Default: all that come. */
  readonly compressionSlots?: UploadSlots | undefined;
  /** Hashes to compute of the content while it is read. */
  readonly hashAlgorithms: readonly HashAlgorithm[];
}

/** A body ready to be sent. Disposing removes what was made for it; the source stays open. */
export interface EncodedBody extends AsyncDisposable {
  readonly body: Body;
  /** Size of the content before encoding. */
  readonly sizeBytes: number;
  /** Is there a temporary copy? */
  readonly copied: boolean;
  /** Of the content before encoding; known once the body has been sent, empty before. */
  hashes(): ContentHashes;
}

/**
 * Small files are encoded in memory. Large ones are sent straight from the file, unless they are worth
 * compressing: then into a temporary file, since a store wants to know the length first.
 *
 * @throws ArtifactError when the copy can't be written (full disk, weakness W-15); what the source throws
 */
export async function encodeBody(source: ByteSource, options: EncodeOptions): Promise<EncodedBody> {
  if (options.sizeBytes <= inMemoryBytes) return await encodeInMemory(source, options);
  const hash = hashing(options);
  const { contentEncoding, sizeBytes, path } = options;
  if (contentEncoding === "identity") {
    return withoutCopy(identityBody(source, { sizeBytes, ...hash }), { sizeBytes, ...hash });
  }
  if (await looksIncompressible(source, sizeBytes)) {
    return withoutCopy(storedGzipBody(source, { sizeBytes, path, ...hash }), { sizeBytes, ...hash });
  }
  return await compressToFile(source, options);
}

function hashing({ hashAlgorithms }: EncodeOptions): { hash?: ContentHash } {
  return hashAlgorithms.length > 0 ? { hash: new ContentHash(hashAlgorithms) } : {};
}

async function encodeInMemory(source: ByteSource, options: EncodeOptions): Promise<EncodedBody> {
  const content = await readFully(source, new Uint8Array(options.sizeBytes));
  const bytes = options.contentEncoding === "gzip"
    ? gzipBytes(content, { fileName: basename(options.path) })
    : content;
  const hashes = hashesOf(content, options.hashAlgorithms);
  return {
    body: { bytes },
    sizeBytes: content.length,
    copied: false,
    hashes: () => hashes,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function withoutCopy(
  body: Body,
  { sizeBytes, hash }: { sizeBytes: number; hash?: ContentHash },
): EncodedBody {
  return {
    body,
    sizeBytes,
    copied: false,
    hashes: () => hash?.values ?? {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Looks at the beginning, and only if that does not compress at the middle and the end: headers can deceive. */
async function looksIncompressible(source: ByteSource, sizeBytes: number): Promise<boolean> {
  const buffer = Buffer.allocUnsafeSlow(sampleBytes);
  for (const offset of [0, Math.floor(sizeBytes / 2), sizeBytes - sampleBytes]) {
    await source.seek(offset);
    if (!isIncompressible(await readFully(source, buffer))) return false;
  }
  return true;
}

async function compressToFile(source: ByteSource, options: EncodeOptions): Promise<EncodedBody> {
  const { temporaryDirectory, path } = options;
  const copyPath = join(temporaryDirectory, `artifact-${v4()}.gz`);
  const remove = () => Deno.remove(copyPath).catch(() => {});
  const { hash } = hashing(options);
  try {
    const sizes = await compress(source, { ...options, copyPath, hash });
    const copy = await openOwnFile(copyPath);
    return {
      body: identityBody(copy, { sizeBytes: sizes.storedBytes }),
      sizeBytes: sizes.contentBytes,
      copied: true,
      hashes: () => hash?.values ?? {},
      async [Symbol.asyncDispose]() {
        copy.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    if (!(error instanceof CopyError)) throw error;
    throw new ArtifactError("unavailable", `Could not compress '${path}': ${errorText(error.cause)}`, {
      cause: error.cause,
    });
  }
}

interface Compression extends EncodeOptions {
  readonly copyPath: string;
  readonly hash: ContentHash | undefined;
}

interface CopySizes {
  readonly contentBytes: number;
  readonly storedBytes: number;
}

async function compress(source: ByteSource, compression: Compression): Promise<CopySizes> {
  const { sizeBytes, compressionSlots: inTurn = (work) => work() } = compression;
  if (sizeBytes < threadFromBytes) return await compressHere(source, compression);
  return await inTurn(() => compressOnThread(source, compression));
}

async function compressHere(source: ByteSource, compression: Compression): Promise<CopySizes> {
  const { copyPath, path, hash } = compression;
  const sink = await GzipSink.create({ path: copyPath, fileName: basename(path) });
  const buffer = new Uint8Array(gzipPieceBytes);
  try {
    const contentBytes = await readAll(source, compression, {
      room: () => buffer,
      push: (piece) => sink.push(piece),
    });
    hash?.finish();
    return { contentBytes, storedBytes: await sink.finish() };
  } finally {
    sink.close();
  }
}

async function compressOnThread(source: ByteSource, compression: Compression): Promise<CopySizes> {
  const { copyPath, path, hash, signal } = compression;
  signal.throwIfAborted();
  const sink = await ThreadedGzipSink.create({ path: copyPath, fileName: basename(path) });
  try {
    const contentBytes = await readAll(source, compression, sink);
    hash?.finish();
    return { contentBytes, storedBytes: await sink.finish() };
  } finally {
    sink.close();
  }
}

interface Pieces {
  room(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  push(piece: Uint8Array<ArrayBuffer>): void | Promise<void>;
}

/** Reads and hashes the content and hands it on; how much there was. */
async function readAll(
  source: ByteSource,
  { hash, signal, sizeBytes }: Compression,
  pieces: Pieces,
): Promise<number> {
  await source.seek(0);
  hash?.restart();
  let contentBytes = 0;
  while (contentBytes < sizeBytes) {
    const room = await pieces.room();
    signal.throwIfAborted();
    const piece = await readFully(source, room.subarray(0, sizeBytes - contentBytes));
    if (piece.length === 0) break;
    contentBytes += piece.length;
    hash?.update(piece);
    await pieces.push(piece);
  }
  return contentBytes;
}
