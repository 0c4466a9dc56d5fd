/** One connection of a live log's reader: a request, its answer, and the end, each with a limit of time. */

import type { Clock } from "../base/clock.ts";
import { answerTo, type LiveLogAddress, type LiveLogAnswer, type LogPart } from "./live_log_answer.ts";
import { BadRequest, type LiveLogRequest, readRequest } from "./live_log_request.ts";
import { type LiveLogSource, PieceMemory } from "./live_log_source.ts";

/** What a reader is served on; a `Deno.Conn` is one, a stream of a tunnel could be another. */
export interface ReaderStream {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  /** Says that nothing more will be written. */
  closeWrite(): Promise<void>;
  close(): void;
}

export interface LiveLogConnectionOptions {
  readonly source: LiveLogSource;
  readonly address: LiveLogAddress;
  readonly clock: Clock;
  /** How long a reader may take nothing of what is sent to it, milliseconds. */
  readonly stallMs: number;
}

/** For a request to arrive. */
const requestMs = 10_000;
/** For a client to close its side after the answer. */
const lingerMs = 1_000;
/** Without anything to send, after the client has closed its side. */
const halfClosedMs = 60_000;
/** What clients send after their request is thrown away, up to here. */
const mostExcessBytes = 64 * 1024;

const encoder = new TextEncoder();
const lastChunk = encoder.encode("0\r\n\r\n");

/** Serves until the answer is complete, the reader is gone, or something took too long. */
export class LiveLogConnection {
  readonly #stream: ReaderStream;
  readonly #options: LiveLogConnectionOptions;
  readonly #gone = new AbortController();
  #deadlineMs: number;
  #halfClosed = false;
  #answered = false;

  constructor(stream: ReaderStream, options: LiveLogConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#deadlineMs = this.#inMs(requestMs);
  }

  /** Has it been sent everything it will get? */
  get answered(): boolean {
    return this.#answered;
  }

  /** Never throws: what goes wrong with one reader concerns nobody else. */
  async serve(): Promise<void> {
    try {
      await this.#exchange();
    } catch {
      // The reader is gone, or the file can't be read: it learns that by the missing end of the answer.
    } finally {
      this.close();
    }
  }

  /** Breaks off when its time is over. */
  checkTime(): void {
    if (this.#options.clock.monotonicMs() >= this.#deadlineMs) this.close();
  }

  /** Ends it at once. What has not been sent never will be, which the reader can see. */
  close(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort();
    this.#stream.close();
  }

  async #exchange(): Promise<void> {
    const answer = await this.#answer();
    if (!answer) return;
    const rest = this.#discardRest();
    await answer();
    this.#answered = true;
    this.#deadlineMs = this.#inMs(lingerMs);
    await this.#stream.closeWrite();
    // Closing with bytes unread would take the answer from the client before it has read it.
    await rest;
  }

  /** Reads the request; gives the function that answers it, or undefined when there is none. */
  async #answer(): Promise<(() => Promise<void>) | undefined> {
    const { source, address } = this.#options;
    try {
      const request = await readRequest(this.#stream);
      if (!request) return undefined;
      return () => this.#send(request, answerTo(request, { address, state: source }));
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      const { status, message } = error;
      const headers = { "Content-Type": "text/plain; charset=utf-8" };
      const request = { method: "GET", target: "", chunks: false, headers: new Map() };
      return () => this.#send(request, { status, headers, body: `${message}\n` });
    }
  }

  async #send(request: LiveLogRequest, answer: LiveLogAnswer): Promise<void> {
    const { body } = answer;
    const isText = body === undefined || typeof body === "string";
    const text = isText ? encoder.encode(body ?? "") : undefined;
    const lengthBytes = text ? text.length : answer.lengthBytes;
    const head = headText(answer, {
      lengthBytes,
      chunks: request.chunks,
      nowMs: this.#options.clock.nowMs(),
    });
    await this.#write(encoder.encode(head));
    if (request.method === "HEAD") return;
    if (text) return await this.#write(text);
    if (isText) return;
    await this.#sendPart(body, { chunked: lengthBytes === undefined && request.chunks });
  }

  async #sendPart(part: LogPart, { chunked }: { chunked: boolean }): Promise<void> {
    const { source } = this.#options;
    this.#deadlineMs = Infinity;
    let at = typeof part.from === "number" ? part.from : await source.startOfLastLines(part.from.lastLines);
    const memory = new PieceMemory();
    while (at < part.toBytes) {
      if (source.sizeBytes <= at) {
        if (source.ended) break;
        memory.release();
        this.#deadlineMs = this.#halfClosed ? this.#inMs(halfClosedMs) : Infinity;
        await source.reaches(at, this.#gone.signal);
        this.#gone.signal.throwIfAborted();
        continue;
      }
      const piece = await source.piece(at, { toBytes: part.toBytes, memory });
      await this.#write(chunked ? piece.chunk : piece.plain);
      at += piece.sizeBytes;
    }
    if (chunked) await this.#write(lastChunk);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      this.#deadlineMs = this.#inMs(this.#options.stallMs);
      sent += await this.#stream.write(sent === 0 ? bytes : bytes.subarray(sent));
    }
  }

  /** Only by reading is a reader noticed that goes away while there is nothing to send. */
  async #discardRest(): Promise<void> {
    const scrap = new Uint8Array(1024);
    try {
      for (let excessBytes = 0; excessBytes < mostExcessBytes;) {
        const count = await this.#stream.read(scrap);
        if (count === null) return this.#onHalfClosed();
        excessBytes += count;
      }
    } catch {
      // Reset, or closed by us.
    }
    this.close();
  }

  /** It may still be reading. */
  #onHalfClosed(): void {
    this.#halfClosed = true;
    if (this.#deadlineMs === Infinity) this.#deadlineMs = this.#inMs(halfClosedMs);
  }

  #inMs(durationMs: number): number {
    return this.#options.clock.monotonicMs() + durationMs;
  }
}

function headText(
  { status, headers }: LiveLogAnswer,
  { lengthBytes, chunks, nowMs }: { lengthBytes: number | undefined; chunks: boolean; nowMs: number },
): string {
  const framing = lengthBytes === undefined
    ? chunks ? ["Transfer-Encoding: chunked"] : []
    : status === 204
    ? []
    : [`Content-Length: ${lengthBytes}`];
  return [
    `HTTP/1.1 ${status} ${reasonPhrases[status] ?? "Status"}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...framing,
    `Date: ${new Date(nowMs).toUTCString()}`,
    "Connection: close",
    "\r\n",
  ].join("\r\n");
}

const reasonPhrases: Readonly<Record<number, string>> = {
  200: "OK",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  416: "Range Not Satisfiable",
  431: "Request Header Fields Too Large",
  505: "HTTP Version Not Supported",
};
