/** Bodies of files that the worker has encoded itself. */

import { identityBody, storedGzipBody } from "./body.ts";
import { openOwnFile } from "./byte_source.ts";
import type { HashAlgorithm } from "./content_hash.ts";
import { encodeBody, type EncodedBody } from "./encode.ts";

export interface OwnFile {
  readonly path: string;
  /** Size of the content before encoding. */
  readonly sizeBytes: number;
  /** Size of the file, which is gzip already; absent: it is not, and is sent in an uncompressed gzip frame. */
  readonly storedBytes?: number;
}

/** A gzip body made of a file of the worker's own, which stays where it is. @throws the system's error */
export async function ownFileBody({ path, sizeBytes, storedBytes }: OwnFile): Promise<EncodedBody> {
  const source = await openOwnFile(path);
  const body = storedBytes === undefined
    ? storedGzipBody(source, { sizeBytes, path })
    : identityBody(source, { sizeBytes: storedBytes });
  return {
    body,
    sizeBytes,
    copied: storedBytes !== undefined,
    hashes: () => ({}),
    [Symbol.asyncDispose]() {
      source.close();
      return Promise.resolve();
    },
  };
}

/** A body of bytes that are encoded already. */
export function ownBytesBody(bytes: Uint8Array<ArrayBuffer>, sizeBytes: number): EncodedBody {
  return {
    body: { bytes },
    sizeBytes,
    copied: false,
    hashes: () => ({}),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

export interface PlainFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly hashAlgorithms: readonly HashAlgorithm[];
  readonly signal: AbortSignal;
}

/** A body of a file of the worker's own as it is. @throws the system's error */
export async function plainFileBody(file: PlainFile): Promise<EncodedBody> {
  const source = await openOwnFile(file.path);
  try {
    // Nothing is copied for this encoding.
    const encoded = await encodeBody(source, {
      ...file,
      contentEncoding: "identity",
      temporaryDirectory: "",
    });
    return {
      ...encoded,
      [Symbol.asyncDispose]() {
        source.close();
        return Promise.resolve();
      },
    };
  } catch (error) {
    source.close();
    throw error;
  }
}
