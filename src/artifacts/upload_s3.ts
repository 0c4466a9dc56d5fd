/** Uploads a body through storage type `s3`: an address from the queue, then PUTs until one succeeds (spec 03 §3.3). */

import type { ContentEncoding } from "./artifact.ts";
import type { Body } from "./body.ts";
import { putUntilStored, type UploadOptions } from "./put_until_stored.ts";

/** Where to put an artifact, as the queue answered. */
export interface S3Target {
  readonly putUrl: string;
  /** When the address stops working. */
  readonly expires: string;
  readonly contentType: string;
}

export interface S3UploadOptions extends UploadOptions {
  readonly contentEncoding: ContentEncoding;
  /** Asks the queue for an address, at first and again when the one at hand has expired (weakness W-14). */
  readonly requestTarget: () => Promise<S3Target>;
}

/**
 * Sends the body, again and again until the store has it.
 *
 * @throws ArtifactError when the store refuses or 15 minutes after the first failure; what `requestTarget` or
 * reading the body throws; the signal's reason
 */
export async function uploadToS3(body: Body, options: S3UploadOptions): Promise<void> {
  await putUntilStored(body, {
    ...options,
    async requestTarget() {
      const { putUrl, expires, contentType } = await options.requestTarget();
      const headers = { "Content-Type": contentType, "Content-Encoding": options.contentEncoding };
      return { url: putUrl, expires, headers };
    },
  });
}
