/**
 * Where artifacts lie: buckets with signed URLs that take and give bytes like S3, and refuse what S3 refuses
 * (spec 03 §3.3). Bytes are on disk, everything else in memory.
 */

import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { HttpAnswer, HttpRequest } from "./http/message.ts";

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

interface Signed {
  readonly method: "PUT" | "GET";
  readonly contentType?: string;
  readonly contentLength?: number;
  readonly expiresMs: number;
}

/** A refusal the way S3 words it. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The buckets. */
export class ArtifactStore {
  readonly #options: StoreOptions;
  readonly #secret = randomBytes(32);
  readonly #objects = new Map<string, StoredBytes>();
  #uploads = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
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
      throw new Refusal(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
      );
    } catch (error) {
      if (error instanceof Refusal) return xmlAnswer(error, target);
      throw error;
    }
  }

  async #put(
    request: HttpRequest,
    { url, key, transfer }: { url: URL; key: StoreKey; transfer: Transfer },
  ): Promise<HttpAnswer> {
    const { lengthBytes } = request.body;
    if (request.body.chunked || lengthBytes === undefined) {
      throw new Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
    const contentType = request.headers.get("content-type") ?? "";
    this.#requireSignature(url, key, { method: "PUT", contentType, contentLength: lengthBytes });
    const path = this.#temporaryPath();
    try {
      const digest = await receive(request, path, new Pace(this.#options.clock, transfer.bytesPerSecond));
      if (digest !== request.headers.get("content-md5")) {
        throw new Refusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
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
      this.#requireSignature(url, key, { method: "GET" });
    }
    const stored = this.find(key);
    if (!stored) throw new Refusal(404, "NoSuchKey", "The specified key does not exist.");
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

  #signedUrl(key: StoreKey, signed: Signed): string {
    const nowMs = this.#options.clock.nowMs();
    const validS = Math.max(0, Math.floor((signed.expiresMs - nowMs) / 1000));
    const date = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
    const query = new URLSearchParams({
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Date": date,
      "X-Amz-Expires": String(validS),
      "X-Amz-SignedHeaders": signedHeaders(signed),
    });
    query.set("X-Amz-Signature", this.#signature(pathOf(key), query, signed));
    return `${this.publicUrl(key)}?${query}`;
  }

  #requireSignature(url: URL, key: StoreKey, request: Omit<Signed, "expiresMs">): void {
    const query = url.searchParams;
    const given = query.get("X-Amz-Signature");
    if (given === null) throw new Refusal(403, "AccessDenied", "Access Denied");
    const covered = (query.get("X-Amz-SignedHeaders") ?? "").split(";");
    const { contentLength, ...rest } = request;
    const signed = covered.includes("content-length") && contentLength !== undefined
      ? { ...rest, contentLength }
      : rest;
    const expected = this.#signature(pathOf(key), query, signed);
    if (!sameText(expected, given)) {
      throw new Refusal(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
    }
    if (expiryMs(query) < this.#options.clock.nowMs()) {
      throw new Refusal(403, "AccessDenied", "Request has expired");
    }
  }

  #signature(path: string, query: URLSearchParams, signed: Omit<Signed, "expiresMs">): string {
    const { method, contentType = "", contentLength = "" } = signed;
    const lines = [
      method,
      path,
      query.get("X-Amz-Date"),
      query.get("X-Amz-Expires"),
      query.get("X-Amz-SignedHeaders"),
      contentType,
      contentLength,
    ];
    return createHmac("sha256", this.#secret).update(lines.join("\n")).digest("hex");
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

/** Keeps a transfer at a rate, by waiting after each piece. */
class Pace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number | undefined;

  constructor(clock: Clock, bytesPerSecond: number | undefined) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** How much to read at once, so that the pauses stay short. */
  get chunkBytes(): number {
    if (this.#bytesPerSecond === undefined) return 512 * 1024;
    return Math.max(1, Math.min(64 * 1024, Math.floor(this.#bytesPerSecond / 10)));
  }

  async wait(bytes: number): Promise<void> {
    if (this.#bytesPerSecond !== undefined) await this.#clock.sleep(1000 * bytes / this.#bytesPerSecond);
  }
}

function pathOf({ bucket, key }: StoreKey): string {
  return `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** @throws Refusal for a path without key */
function keyOf(path: string): StoreKey {
  const [, bucket, key] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new Refusal(404, "NoSuchBucket", "The specified bucket does not exist");
  }
  try {
    return { bucket, key: decodeURIComponent(key) };
  } catch {
    throw new Refusal(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
}

function signedHeaders({ contentType, contentLength }: Signed): string {
  const names = ["host"];
  if (contentType !== undefined) names.unshift("content-type");
  if (contentLength !== undefined) names.unshift("content-length");
  return names.join(";");
}

function expiryMs(query: URLSearchParams): number {
  const date = query.get("X-Amz-Date") ?? "";
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  return Date.parse(iso) + 1000 * Number(query.get("X-Amz-Expires"));
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [new TextEncoder().encode(left), new TextEncoder().encode(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

interface Range {
  readonly startBytes: number;
  /** Exclusive. */
  readonly endBytes: number;
  readonly partial: boolean;
}

/** One range of the forms `a-b`, `a-` and `-n`; anything else is answered in full, as S3 does. */
function requestedRange(header: string | undefined, sizeBytes: number): Range {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return { startBytes: 0, endBytes: sizeBytes, partial: false };
  const startBytes = from === "" ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const endBytes = from === "" || to === "" ? sizeBytes : Math.min(sizeBytes, Number(to) + 1);
  if (startBytes < endBytes) return { startBytes, endBytes, partial: true };
  throw new Refusal(416, "InvalidRange", "The requested range is not satisfiable");
}

function xmlAnswer({ status, code, message }: Refusal, target: string): HttpAnswer {
  const resource = target.replace(/\?.*/s, "").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<Error><Code>${code}</Code><Message>${message}</Message><Resource>${resource}</Resource></Error>`;
  return { status, headers: { "content-type": "application/xml" }, body: new TextEncoder().encode(xml) };
}
