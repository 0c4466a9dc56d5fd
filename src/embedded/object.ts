/** The object service: uploads and downloads negotiated by method, bytes kept in the store (spec 03 §4). */

import type { Clock } from "../base/clock.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import type { ObjectStore } from "./object_store.ts";
import { bodyAs, param, timeMs } from "./request_parts.ts";
import { ApiError, type ApiRequest, type ApiResponse, type EmbeddedService } from "./service.ts";

/** Hashes by algorithm, lower-case hexadecimal. */
export type Hashes = Readonly<Record<string, string>>;

/** Body of createUpload. */
export interface CreateUploadRequest {
  readonly projectId: string;
  readonly uploadId: string;
  /** Timestamp at which the object ends. */
  readonly expires: string;
  readonly proposedUploadMethods: {
    readonly dataInline?: { readonly contentType: string; readonly objectData: string };
    readonly putUrl?: { readonly contentType: string; readonly contentLength: number };
  };
  readonly hashes?: Hashes;
}

/** Body of finishUpload. */
export interface FinishUploadRequest {
  readonly projectId: string;
  readonly uploadId: string;
  readonly hashes?: Hashes;
}

/** Answer to createUpload: at most one method, none when nothing acceptable was proposed. */
export interface CreateUploadResponse {
  readonly projectId: string;
  readonly uploadId: string;
  readonly expires: string;
  readonly uploadMethod: {
    readonly dataInline?: true;
    readonly putUrl?: {
      readonly url: string;
      readonly expires: string;
      readonly headers: Readonly<Record<string, string>>;
    };
  };
}

interface StoredObject {
  readonly projectId: string;
  readonly uploadId: string;
  readonly expiresMs: number;
  readonly hashes: Hashes;
  readonly finished: boolean;
}

export interface ObjectOptions {
  clock: Clock;
  /** Keeps the bytes; one for objects alone. */
  store: ObjectStore;
  /** How long the URLs given out are valid, milliseconds; default 45 minutes. */
  urlLifeMs?: number;
}

/** Objects by name, as the service's own handlers and the queue (for artifacts of type `object`) use them. */
export class ObjectCatalogue {
  readonly #clock: Clock;
  readonly #store: ObjectStore;
  readonly #urlLifeMs: number;
  readonly #objects = new Map<string, StoredObject>();

  constructor(options: ObjectOptions) {
    this.#clock = options.clock;
    this.#store = options.store;
    this.#urlLifeMs = options.urlLifeMs ?? 45 * 60 * 1000;
  }

  /**
   * Starts an upload, or goes on with it: repeated with the same ids and expiry it hands out a fresh URL.
   * @throws ApiError RequestConflict when the name is taken by another upload, or this one is finished
   */
  async createUpload(name: string, request: CreateUploadRequest): Promise<CreateUploadResponse> {
    const expiresMs = timeMs(request.expires, "expires");
    if (expiresMs <= this.#clock.nowMs()) {
      throw new ApiError(400, "InputError", `Cannot upload object ${name}: it expires in the past`);
    }
    this.#begin(name, request, expiresMs);
    const uploadMethod = await this.#chooseUpload(name, request.proposedUploadMethods);
    return {
      projectId: request.projectId,
      uploadId: request.uploadId,
      expires: formatTimestamp(expiresMs),
      uploadMethod,
    };
  }

  /**
   * Makes the object available for download; repeating it does no harm, and may add hashes.
   * @throws ApiError ResourceNotFound, RequestConflict for another upload's ids or for a hash that contradicts one
   *   given before, InputError when no data has arrived
   */
  async finishUpload(name: string, request: FinishUploadRequest): Promise<void> {
    const object = this.#required(name);
    requireSameUpload(name, object, request);
    const hashes = mergeHashes(name, object.hashes, request.hashes);
    if (!await this.#store.has(name)) {
      throw new ApiError(400, "InputError", `Cannot finish upload of object ${name}: no data was uploaded`);
    }
    this.#objects.set(name, { ...object, hashes, finished: true });
  }

  /** Method and URL for downloading a finished object. */
  async startDownload(name: string, accepted: { simple?: true; getUrl?: true }) {
    const object = await this.#downloadable(name);
    const expiresMs = this.#urlEndMs(object);
    const url = () => this.#store.getUrl(name, { expiresMs });
    if (accepted.getUrl) {
      return { method: "getUrl", url: url(), expires: formatTimestamp(expiresMs), hashes: object.hashes };
    }
    if (accepted.simple) return { method: "simple", url: url() };
    throw new ApiError(
      406,
      "NoMatchingMethod",
      `Cannot download object ${name}: none of the accepted methods is supported; supported are getUrl and simple`,
    );
  }

  /** Project, expiry and hashes of a finished object. */
  async metadata(name: string) {
    const { projectId, expiresMs, hashes } = await this.#downloadable(name);
    return { projectId, expires: formatTimestamp(expiresMs), hashes };
  }

  /** Removes expired objects and their bytes. */
  async expire(): Promise<void> {
    for (const [name, object] of this.#objects) {
      if (object.expiresMs > this.#clock.nowMs()) continue;
      this.#objects.delete(name);
      await this.#store.remove(name);
    }
  }

  #begin(name: string, request: CreateUploadRequest, expiresMs: number): void {
    const present = this.#find(name);
    if (present !== undefined) {
      requireSameUpload(name, present, request);
      if (present.expiresMs !== expiresMs) throw conflict(name, "it exists with another expiry");
      if (present.finished) throw conflict(name, "its upload is finished");
    }
    const hashes = mergeHashes(name, present?.hashes ?? {}, request.hashes);
    const { projectId, uploadId } = request;
    this.#objects.set(name, { projectId, uploadId, expiresMs, hashes, finished: false });
  }

  async #chooseUpload(
    name: string,
    proposed: CreateUploadRequest["proposedUploadMethods"],
  ): Promise<CreateUploadResponse["uploadMethod"]> {
    const { dataInline, putUrl } = proposed;
    if (dataInline !== undefined) {
      const bytes = decodeInline(name, dataInline.objectData);
      await this.#store.write(name, bytes, { contentType: dataInline.contentType });
      return { dataInline: true };
    }
    if (putUrl === undefined) return {};
    const expiresMs = this.#clock.nowMs() + this.#urlLifeMs;
    return {
      putUrl: {
        url: this.#store.putUrl(name, { ...putUrl, expiresMs }),
        expires: formatTimestamp(expiresMs),
        headers: { "Content-Type": putUrl.contentType, "Content-Length": String(putUrl.contentLength) },
      },
    };
  }

  #urlEndMs(object: StoredObject): number {
    return Math.min(this.#clock.nowMs() + this.#urlLifeMs, object.expiresMs);
  }

  async #downloadable(name: string): Promise<StoredObject> {
    await this.expire();
    const object = this.#required(name);
    if (!object.finished) throw notFound(name);
    return object;
  }

  #required(name: string): StoredObject {
    const object = this.#find(name);
    if (object === undefined) throw notFound(name);
    return object;
  }

  #find(name: string): StoredObject | undefined {
    const object = this.#objects.get(name);
    return object !== undefined && object.expiresMs > this.#clock.nowMs() ? object : undefined;
  }
}

export interface ObjectService extends EmbeddedService {
  /** The same state, for tests and for the queue. */
  readonly objects: ObjectCatalogue;
}

/** The object service with no objects. */
export function createObjectService(options: ObjectOptions): ObjectService {
  const objects = new ObjectCatalogue(options);
  return {
    service: "object",
    objects,
    handlers: {
      createUpload: (request) => createUpload(objects, request),
      finishUpload: (request) => finishUpload(objects, request),
      startDownload: async (request) => {
        const { acceptDownloadMethods } = bodyAs<{ acceptDownloadMethods: AcceptedDownloads }>(request);
        return { body: await objects.startDownload(param(request, "name"), acceptDownloadMethods) };
      },
      object: async (request) => ({ body: await objects.metadata(param(request, "name")) }),
      download: async (request) => {
        const { url } = await objects.startDownload(param(request, "name"), { simple: true });
        return { status: 303, location: url };
      },
    },
  };
}

type AcceptedDownloads = { simple?: true; getUrl?: true };

async function createUpload(objects: ObjectCatalogue, request: ApiRequest): Promise<ApiResponse> {
  const body = bodyAs<CreateUploadRequest>(request);
  request.authorize({ projectId: body.projectId });
  return { body: await objects.createUpload(param(request, "name"), body) };
}

async function finishUpload(objects: ObjectCatalogue, request: ApiRequest): Promise<ApiResponse> {
  const body = bodyAs<FinishUploadRequest>(request);
  request.authorize({ projectId: body.projectId });
  await objects.finishUpload(param(request, "name"), body);
  return {};
}

/** The limit below which data may travel inside the request (spec 03 §4.1). */
const inlineLimitBytes = 8192;

function decodeInline(name: string, objectData: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(objectData);
  } catch {
    throw new ApiError(400, "InputError", `Cannot upload object ${name}: objectData is not base64`);
  }
  if (binary.length > inlineLimitBytes) {
    throw new ApiError(
      400,
      "InputError",
      `Cannot upload object ${name}: ${binary.length} bytes inline, at most ${inlineLimitBytes} are allowed`,
    );
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

function requireSameUpload(
  name: string,
  object: StoredObject,
  ids: { projectId: string; uploadId: string },
): void {
  if (object.projectId !== ids.projectId) throw conflict(name, "it belongs to another project");
  if (object.uploadId !== ids.uploadId) throw conflict(name, "it belongs to another upload");
}

function mergeHashes(name: string, known: Hashes, added: Hashes = {}): Hashes {
  for (const [algorithm, value] of Object.entries(added)) {
    const before = known[algorithm];
    if (before !== undefined && before !== value) {
      throw conflict(name, `its ${algorithm} was given differently`);
    }
  }
  return { ...known, ...added };
}

function conflict(name: string, reason: string): ApiError {
  return new ApiError(409, "RequestConflict", `Cannot upload object ${name}: ${reason}`);
}

function notFound(name: string): ApiError {
  return new ApiError(404, "ResourceNotFound", `Object ${name} not found`);
}
