/**
 * Downloads into a file, with attempts until it is complete (spec 03 §0 "standard retry policy").
 *
 * A broken connection costs what is missing, not what is there: where the server can name the version it sends, the
 * next attempt asks for the rest.
 */

import { createHash, type Hash } from "node:crypto";
import { backoffPausesMs, retryForMs as defaultRetryForMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import { LinkedSignal } from "../base/linked_signal.ts";
import { DownloadError, networkError } from "./download_error.ts";

export type HashAlgorithm = "sha256" | "sha512";

export interface DownloadOptions {
  /** The file to write; made with mode 0600 or emptied. What is there of it after a failure is of no use. */
  readonly path: string;
  /** The address for the next attempt; its failures end the download, DownloadError excepted. */
  readonly locate: (attempt: number) => string | Promise<string>;
  /** Default: `sha256`. */
  readonly algorithms?: readonly HashAlgorithm[];
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** No new attempt once nothing has come in for this long; default 15 minutes. */
  readonly retryForMs?: number;
  /** An attempt in which nothing moves for this long is given up; default 60 s (weakness W-47). */
  readonly stallTimeoutMs?: number;
  readonly random?: () => number;
  /** Told before each attempt. */
  readonly onAttempt?: () => void;
  /** Told of each attempt that is followed by another one, and the pause before that. */
  readonly onRetry?: (error: DownloadError, pauseMs: number) => void;
  /** Told now and then; `totalBytes` where it is known. */
  readonly onProgress?: (receivedBytes: number, totalBytes: number | undefined) => void;
}

/** What was written, after decoding a gzip content encoding. */
export interface Downloaded {
  readonly sizeBytes: number;
  /** Hexadecimal, by algorithm. */
  readonly hashes: Readonly<Partial<Record<HashAlgorithm, string>>>;
}

/** @throws DownloadError when it can't be had; the signal's reason; what `locate` throws */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  options.signal?.throwIfAborted();
  using file = await openFile(options.path);
  return await new Download(file, options).run();
}

async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  } catch (error) {
    throw new DownloadError(`Could not open file ${path}: ${errorText(error)}`, {
      stage: "file",
      temporary: false,
      cause: error,
    });
  }
}

/** A version of a resource that can be asked for again. */
interface Version {
  readonly validator: string;
  readonly totalBytes: number;
}

class Download {
  readonly #file: Deno.FsFile;
  readonly #options: DownloadOptions;
  readonly #clock: Clock;
  #hashes: ReadonlyMap<HashAlgorithm, Hash>;
  #receivedBytes = 0;
  #version: Version | undefined;
  #movedMs: number;

  constructor(file: Deno.FsFile, options: DownloadOptions) {
    this.#file = file;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#hashes = this.#freshHashes();
    this.#movedMs = this.#clock.monotonicMs();
  }

  async run(): Promise<Downloaded> {
    const { signal, random, onAttempt, onRetry } = this.#options;
    const pauses = backoffPausesMs(random ? { random } : {});
    for (let attempt = 1;; attempt++) {
      onAttempt?.();
      const error = await this.#attempt(attempt);
      if (!error) return this.#result();
      signal?.throwIfAborted();
      const pauseMs = pauses.next().value;
      if (!error.temporary || this.#tooLate(error, pauseMs)) throw error;
      onRetry?.(error, pauseMs);
      await this.#clock.sleep(pauseMs, signal);
      signal?.throwIfAborted();
    }
  }

  #tooLate(error: DownloadError, pauseMs: number): boolean {
    const idleMs = this.#clock.monotonicMs() - this.#movedMs + pauseMs;
    return idleMs >= (error.retryForMs ?? this.#options.retryForMs ?? defaultRetryForMs);
  }

  /** Undefined when all is there. */
  async #attempt(attempt: number): Promise<DownloadError | undefined> {
    using watch = new StallWatch(this.#options);
    try {
      const url = requireHttp(await this.#options.locate(attempt));
      const response = await this.#request(url, watch);
      await this.#receive(response, watch);
      return undefined;
    } catch (error) {
      if (error instanceof DownloadError) return error;
      throw error;
    }
  }

  /** An answer whose body goes where the file ends now. */
  async #request(url: string, watch: StallWatch): Promise<Response> {
    if (this.#version && this.#receivedBytes > 0) {
      const rest = await this.#fetch(url, watch, {
        "range": `bytes=${this.#receivedBytes}-`,
        "if-range": this.#version.validator,
      });
      if (this.#continues(rest)) return rest;
      await rest.body?.cancel();
      if (rest.status >= 500) throw refused(rest);
    }
    await this.#startOver();
    const response = await this.#fetch(url, watch, {});
    if (response.status === 200) return response;
    await response.body?.cancel();
    throw refused(response);
  }

  async #fetch(url: string, watch: StallWatch, headers: Record<string, string>): Promise<Response> {
    try {
      return await fetch(url, { headers, signal: watch.signal });
    } catch (error) {
      throw watch.reason(error, "request");
    }
  }

  #continues({ status, headers }: Response): boolean {
    if (status !== 206 || headers.has("content-encoding") || !this.#version) return false;
    const { totalBytes, validator } = this.#version;
    // Not every store heeds `If-Range`.
    if (headers.get("etag") !== validator && headers.get("last-modified") !== validator) return false;
    const expected = `bytes ${this.#receivedBytes}-${totalBytes - 1}/${totalBytes}`;
    return headers.get("content-range") === expected;
  }

  async #startOver(): Promise<void> {
    this.#version = undefined;
    if (this.#receivedBytes === 0) return;
    this.#receivedBytes = 0;
    this.#hashes = this.#freshHashes();
    await orFileError(() => this.#file.truncate(0));
    await orFileError(() => this.#file.seek(0, Deno.SeekMode.Start));
  }

  async #receive(response: Response, watch: StallWatch): Promise<void> {
    this.#version ??= versionOf(response);
    const total = this.#version?.totalBytes ?? lengthOf(response);
    const body = response.body?.getReader();
    try {
      while (body) {
        const { value, done } = await body.read().catch((error) => {
          throw watch.reason(error, "body");
        });
        if (done) break;
        await this.#take(value);
        watch.moved();
        this.#options.onProgress?.(this.#receivedBytes, total);
      }
      if (total !== undefined && this.#receivedBytes !== total) {
        const message = `the answer ended after ${this.#receivedBytes} of ${total} bytes`;
        throw new DownloadError(message, { stage: "body", temporary: true });
      }
    } catch (error) {
      await body?.cancel().catch(() => {});
      throw error;
    }
  }

  /** Hashes while the disk writes. */
  async #take(bytes: Uint8Array): Promise<void> {
    const writing = orFileError(() => writeAll(this.#file, bytes));
    for (const hash of this.#hashes.values()) hash.update(bytes);
    await writing;
    this.#receivedBytes += bytes.length;
    // Only what need not come again counts: else a large file over a bad line would be tried for ever.
    if (this.#version) this.#movedMs = this.#clock.monotonicMs();
  }

  #freshHashes(): ReadonlyMap<HashAlgorithm, Hash> {
    const { algorithms = ["sha256"] } = this.#options;
    return new Map(algorithms.map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  #result(): Downloaded {
    const hashes = [...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest("hex")]);
    return { sizeBytes: this.#receivedBytes, hashes: Object.fromEntries(hashes) };
  }
}

/** Aborts an attempt in which nothing moves. */
class StallWatch implements Disposable {
  readonly #linked: LinkedSignal;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #limitMs: number;
  #movedMs = performance.now();
  #stalled = false;

  constructor({ signal, stallTimeoutMs = 60_000 }: DownloadOptions) {
    this.#linked = new LinkedSignal([signal]);
    this.#limitMs = stallTimeoutMs;
    this.#timer = setInterval(() => this.#look(), stallTimeoutMs / 4);
  }

  get signal(): AbortSignal {
    return this.#linked.signal;
  }

  moved(): void {
    this.#movedMs = performance.now();
  }

  /** What an error that came out of the attempt is to be taken for. */
  reason(error: unknown, stage: "request" | "body"): DownloadError {
    if (!this.#stalled) return networkError(error, stage);
    const message = `nothing came in for ${Math.round(this.#limitMs / 1000)} s`;
    return new DownloadError(message, { stage, temporary: true, cause: error });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#linked[Symbol.dispose]();
  }

  #look(): void {
    if (performance.now() - this.#movedMs < this.#limitMs) return;
    this.#stalled = true;
    this.#linked.abort();
  }
}

/** Other schemes would never work, or read what is not the task's (weakness W-47). */
function requireHttp(url: string): string {
  const parsed = URL.parse(url);
  if (parsed?.protocol === "http:" || parsed?.protocol === "https:") return url;
  const what = parsed ? `the scheme ${parsed.protocol.slice(0, -1)} is not supported` : "it is not a URL";
  throw new DownloadError(`Cannot download from it: ${what}; use http or https`, {
    stage: "request",
    temporary: false,
  });
}

function refused({ status, statusText }: Response): DownloadError {
  const message = `HTTP ${status}${statusText ? ` ${statusText}` : ""}`;
  return new DownloadError(message, { stage: "request", temporary: status >= 500 });
}

/** Only what comes as it is stored can be continued; a weak tag names several versions. */
function versionOf(response: Response): Version | undefined {
  const totalBytes = lengthOf(response);
  const tag = response.headers.get("etag");
  const validator = tag?.startsWith('"') ? tag : response.headers.get("last-modified");
  const takesRanges = response.headers.get("accept-ranges") !== "none";
  return totalBytes !== undefined && validator && takesRanges ? { validator, totalBytes } : undefined;
}

function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? undefined : Number(length);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
}

async function orFileError<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new DownloadError(errorText(error), { stage: "file", temporary: false, cause: error });
  }
}
