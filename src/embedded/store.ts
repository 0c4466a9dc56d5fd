/**
 * Where artifacts lie: buckets with signed URLs that take and give bytes like S3, and refuse what S3 refuses
 * (spec 03 §3.3). Bytes are on disk, everything else in memory.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { requestedRange } from "./byte_range.ts";
import type { HttpAnswer, HttpRequest } from "./http/message.ts";
import { Pace } from "./pace.ts";
import { refusalAnswer, StoreRefusal } from "./store_refusal.ts";
import { type SignedUse, UrlSigner } from "./url_signer.ts";

/** Names one object. */
export interface StoreKey {
  readonly bucket: string;
  readonly key: string;
}

/** What is known of one object's bytes. */
export interface StoredBytes {
  readonly contentType: string;
  readonly contentEncoding: string | undefined;
  readonly lengthBytes: number;
  readonly etag: string;
  /** The file. */
  readonly path: string;
}

export interface StoreOptions {
  readonly clock: Clock;
  /** An existing directory for the bytes. */
  readonly directory: string;
  /** Without a slash at the end; objects are at `<baseUrl>/<bucket>/<key>`. */
  readonly baseUrl: () => string;
  /** Buckets whose objects anybody may read without a signature. */
  readonly publicBuckets: ReadonlySet<string>;
}

/** Options of one upload or download. */
export interface Transfer {
  /** Slows it down to this rate: a fault. */
  readonly bytesPerSecond?: number;
}

/** The buckets. */
export class ArtifactStore {
  readonly #options: StoreOptions;
  readonly #signer: UrlSigner;
  readonly #objects = new Map<string, StoredBytes>();
  #uploads = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#signer = new UrlSigner(options.clock);
  }

  /** A URL that takes one body of this type (and, when given, exactly this length). */
  putUrl(
    key: StoreKey,
    options: { contentType: string; contentLength?: number; expiresMs: number },
  ): string {
    return this.#signedUrl(key, { method: "PUT", ...options });
  }

  /** A URL that gives the bytes, whatever the bucket. */
  getUrl(key: StoreKey, options: { expiresMs: number }): string {
    return this.#signedUrl(key, { method: "GET", ...options });
  }

  /** The URL of an object in a public bucket. */
  publicUrl(key: StoreKey): string {
    return this.#options.baseUrl() + pathOf(key);
  }

  find(key: StoreKey): StoredBytes | undefined {
    return this.#objects.get(pathOf(key));
  }

  /** Stores bytes without a request. */
  async write(key: StoreKey, bytes: Uint8Array, options: { contentType: string }): Promise<void> {
    const path = this.#temporaryPath();
    await Deno.writeFile(path, bytes);
    await this.#keep(key, path, { ...options, contentEncoding: undefined, lengthBytes: bytes.length });
  }

  async remove(key: StoreKey): Promise<void> {
    const stored = this.find(key);
    if (!stored) return;
    this.#objects.delete(pathOf(key));
    await Deno.remove(stored.path);
  }

  /** Answers a request for `<bucket>/<key>`; `target` is what follows the base URL, query included. */
  async answer(request: HttpRequest, target: string, transfer: Transfer = {}): Promise<HttpAnswer> {
    try {
      const url = new URL(target, "http://store/");
      const key = keyOf(url.pathname);
      if (request.method === "PUT") return await this.#put(request, { url, key, transfer });
      if (request.method === "GET" || request.method === "HEAD") {
        return this.#get(request, { url, key, transfer });
      }
      throw new StoreRefusal(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
      );
    } catch (error) {
      if (error instanceof StoreRefusal) return refusalAnswer(error, target);
      throw error;
    }
  }

  async #put(
    request: HttpRequest,
    { url, key, transfer }: { url: URL; key: StoreKey; transfer: Transfer },
  ): Promise<HttpAnswer> {
    const { lengthBytes } = request.body;
    if (request.body.chunked || lengthBytes === undefined) {
      throw new StoreRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
    const contentType = request.headers.get("content-type") ?? "";
    const use = { method: "PUT", contentType, contentLength: lengthBytes } as const;
    this.#signer.require(pathOf(key), url.searchParams, use);
    const path = this.#temporaryPath();
    try {
      const digest = await receive(request, path, new Pace(this.#options.clock, transfer.bytesPerSecond));
      if (digest !== request.headers.get("content-md5")) {
        throw new StoreRefusal(
          400,
          "BadDigest",
          "The Content-MD5 you specified did not match what we received.",
        );
      }
    } catch (error) {
      await Deno.remove(path).catch(() => {});
      throw error;
    }
    const contentEncoding = request.headers.get("content-encoding");
    const { etag } = await this.#keep(key, path, { contentType, contentEncoding, lengthBytes });
    return { status: 200, headers: { etag } };
  }

  #get(
    request: HttpRequest,
    { url, key, transfer }: { url: URL; key: StoreKey; transfer: Transfer },
  ): HttpAnswer {
    if (url.search !== "" || !this.#options.publicBuckets.has(key.bucket)) {
      this.#signer.require(pathOf(key), url.searchParams, { method: "GET" });
    }
    const stored = this.find(key);
    if (!stored) throw new StoreRefusal(404, "NoSuchKey", "The specified key does not exist.");
    const range = requestedRange(request.headers.get("range"), stored.lengthBytes);
    const lengthBytes = range.endBytes - range.startBytes;
    return {
      status: range.partial ? 206 : 200,
      headers: {
        "content-type": stored.contentType,
        "etag": stored.etag,
        "accept-ranges": "bytes",
        ...(stored.contentEncoding === undefined ? {} : { "content-encoding": stored.contentEncoding }),
        ...(range.partial
          ? { "content-range": `bytes ${range.startBytes}-${range.endBytes - 1}/${stored.lengthBytes}` }
          : {}),
      },
      body: { lengthBytes, chunks: this.#read(stored.path, { ...range, transfer }) },
    };
  }

  async *#read(
    path: string,
    { startBytes, endBytes, transfer }: { startBytes: number; endBytes: number; transfer: Transfer },
  ): AsyncGenerator<Uint8Array> {
    using file = await Deno.open(path, { read: true });
    await file.seek(startBytes, Deno.SeekMode.Start);
    const pace = new Pace(this.#options.clock, transfer.bytesPerSecond);
    const buffer = new Uint8Array(pace.chunkBytes);
    for (let leftBytes = endBytes - startBytes; leftBytes > 0;) {
      const count = await file.read(buffer.subarray(0, Math.min(buffer.length, leftBytes)));
      if (count === null) return;
      leftBytes -= count;
      await pace.wait(count);
      yield buffer.subarray(0, count);
    }
  }

  async #keep(
    { bucket, key }: StoreKey,
    temporaryPath: string,
    stored: Omit<StoredBytes, "etag" | "path">,
  ): Promise<StoredBytes> {
    const name = pathOf({ bucket, key });
    const path = join(this.#options.directory, createHash("sha256").update(name).digest("hex"));
    await Deno.rename(temporaryPath, path);
    const etag = `"${createHash("sha256").update(`${name} ${this.#uploads}`).digest("hex").slice(0, 32)}"`;
    const kept = { ...stored, etag, path };
    this.#objects.set(name, kept);
    return kept;
  }

  #temporaryPath(): string {
    return join(this.#options.directory, `upload-${this.#uploads++}`);
  }

  #signedUrl(key: StoreKey, use: SignedUse): string {
    return `${this.publicUrl(key)}?${this.#signer.query(pathOf(key), use)}`;
  }
}

/** Writes the body to a file. @returns its MD5 in base64 when the client wants it checked */
async function receive(request: HttpRequest, path: string, pace: Pace): Promise<string | undefined> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const hash = request.headers.has("content-md5") ? createHash("md5") : undefined;
  for await (const chunk of request.body.chunks()) {
    hash?.update(chunk);
    for (let written = 0; written < chunk.length;) written += await file.write(chunk.subarray(written));
    await pace.wait(chunk.length);
  }
  return hash?.digest("base64");
}

function pathOf({ bucket, key }: StoreKey): string {
  return `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** @throws StoreRefusal for a path without key */
function keyOf(path: string): StoreKey {
  const [, bucket, key] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new StoreRefusal(404, "NoSuchBucket", "The specified bucket does not exist");
  }
  try {
    return { bucket, key: decodeURIComponent(key) };
  } catch {
    throw new StoreRefusal(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
}
