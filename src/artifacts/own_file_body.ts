/** Bodies of files that the worker has encoded itself. */

import { identityBody, storedGzipBody } from "./body.ts";
import { openOwnFile } from "./byte_source.ts";
import type { EncodedBody } from "./encode.ts";

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
    sha256: () => undefined,
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
    sha256: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
