/** Uploads a body through storage type `object`: negotiated with the object service (spec 03 §4.1). */

import { Buffer } from "node:buffer";
import { errorText } from "../base/error_text.ts";
import type { ServiceClient } from "../services/client.ts";
import { ServiceError } from "../services/errors.ts";
import {
  type ChosenUploadMethod,
  createUpload,
  finishUpload,
  inlineBelowBytes,
  type ObjectUpload,
  type ProposedUploadMethods,
} from "../services/object_upload.ts";
import { ArtifactError } from "./artifact_error.ts";
import { type Body, bodyLength } from "./body.ts";
import type { HashAlgorithm } from "./content_hash.ts";
import type { EncodedBody } from "./encode.ts";
import { type PutTarget, putUntilStored, type UploadOptions } from "./put_until_stored.ts";

/** What a body for the object service has to be encoded with: what downloads are checked against. */
export const objectHashAlgorithms: readonly HashAlgorithm[] = ["sha256", "sha512"];

export interface ObjectUploadOptions extends UploadOptions {
  readonly client: ServiceClient;
  /** As the queue has begun it. */
  readonly upload: ObjectUpload;
  readonly contentType: string;
}

/**
 * Sends the body and ends its upload, with the hashes of what was sent.
 *
 * @throws ArtifactError; what reading the body throws; the signal's reason
 */
export async function uploadObject(encoded: EncodedBody, options: ObjectUploadOptions): Promise<void> {
  const { client, upload, signal } = options;
  const { body } = encoded;
  const proposedUploadMethods = proposal(body, options.contentType);
  await putUntilStored(body, {
    ...options,
    requestTarget: () =>
      explained(
        options,
        async () =>
          targetOf(await createUpload(client, { upload, proposedUploadMethods, signal }), {
            lengthBytes: bodyLength(body),
          }),
      ),
  });
  const { sha256, sha512 } = encoded.hashes();
  if (!sha256 || !sha512) throw unavailable(options, "the store took it before all of it was sent");
  await explained(options, () => finishUpload(client, { upload, hashes: { sha256, sha512 }, signal }));
}

function proposal(body: Body, contentType: string): ProposedUploadMethods {
  const contentLength = bodyLength(body);
  const putUrl = { contentType, contentLength };
  if (!("bytes" in body) || contentLength >= inlineBelowBytes) return { putUrl };
  const objectData = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, contentLength).toString("base64");
  return { putUrl, dataInline: { contentType, objectData } };
}

/** @throws Error when there is nothing that both sides can do, or the address is for something else */
function targetOf(
  { dataInline, putUrl }: ChosenUploadMethod,
  { lengthBytes }: { lengthBytes: number },
): PutTarget | undefined {
  if (dataInline) return undefined;
  if (!putUrl) throw new Error("could not negotiate an upload method");
  const isLength = (name: string) => name.toLowerCase() === "content-length";
  const headers = Object.entries(putUrl.headers);
  const wrong = headers.find(([name, value]) => isLength(name) && value !== String(lengthBytes));
  if (wrong) throw new Error(`the address is for ${wrong[1]} bytes, the content has ${lengthBytes}`);
  // The length is sent in any case, by what sends the body.
  return { ...putUrl, headers: Object.fromEntries(headers.filter(([name]) => !isLength(name))) };
}

/** Whatever goes wrong between the worker and the object service is the same to the task (spec 03 §3.6). */
async function explained<T>(options: ObjectUploadOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    options.signal.throwIfAborted();
    const body = error instanceof ServiceError ? error.details.body : undefined;
    if (body) options.log.warn(`The object service said: ${body}`);
    throw unavailable(options, errorText(error), error);
  }
}

function unavailable({ name }: ObjectUploadOptions, why: string, cause?: unknown): ArtifactError {
  return new ArtifactError("unavailable", `${name}: ${why}`, { cause });
}
