/** Uploads to the object service as the worker sees them (spec 03 §4.1). */

import type { ServiceClient } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import type { CallOptions } from "./queue.ts";

/** An upload that the queue has begun, as its answer names it. */
export interface ObjectUpload {
  /** Of the object, not of the artifact. */
  readonly name: string;
  readonly projectId: string;
  readonly uploadId: string;
  /** Timestamp; has to be repeated as it was given. */
  readonly expires: string;
  /** Good for this upload alone, for at most 24 hours. */
  readonly credentials: Credentials;
}

/** The ways to send the bytes that the worker offers; the service chooses one. */
export interface ProposedUploadMethods {
  readonly putUrl: { readonly contentType: string; readonly contentLength: number };
  /** Base64; for less than `inlineBelowBytes` only. */
  readonly dataInline?: { readonly contentType: string; readonly objectData: string };
}

/** From this size on data can't travel inside a request. */
export const inlineBelowBytes = 8192;

/** What the service chose; neither key when it knows none of the methods. */
export interface ChosenUploadMethod {
  /** The data is stored already. */
  readonly dataInline?: true;
  readonly putUrl?: ObjectPutUrl;
}

/** Where the bytes go. */
export interface ObjectPutUrl {
  readonly url: string;
  /** Timestamp until which the URL is good. */
  readonly expires: string;
  /** All of them have to be sent exactly so. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Starts an upload, or goes on with it: called again it gives a fresh URL. @throws ServiceError, or the signal's reason */
export async function createUpload(
  client: ServiceClient,
  request: { upload: ObjectUpload; proposedUploadMethods: ProposedUploadMethods } & CallOptions,
): Promise<ChosenUploadMethod> {
  const { upload: { name, projectId, uploadId, expires, credentials }, proposedUploadMethods, ...options } =
    request;
  const { uploadMethod } = await client.call<{ uploadMethod: ChosenUploadMethod }>({
    ...options,
    service: "object",
    name: "createUpload",
    method: "PUT",
    path: ["upload", name],
    body: { projectId, uploadId, expires, proposedUploadMethods },
    credentials,
  });
  return uploadMethod;
}

/**
 * Ends an upload. Doing so again does no harm.
 *
 * @param request `hashes`: lower-case hex by algorithm
 * @throws ServiceError, or the signal's reason
 */
export async function finishUpload(
  client: ServiceClient,
  request: { upload: ObjectUpload; hashes: Readonly<Record<string, string>> } & CallOptions,
): Promise<void> {
  const { upload: { name, projectId, uploadId, credentials }, hashes, ...options } = request;
  await client.call({
    ...options,
    service: "object",
    name: "finishUpload",
    method: "POST",
    path: ["finish-upload", name],
    body: { projectId, uploadId, hashes },
    credentials,
  });
}
