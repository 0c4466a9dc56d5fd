/** Reads one HTTP/1.1 answer off a connection that serves nothing else (RFC 9112). */

import { Buffer } from "node:buffer";
import { keptAnswerBytes } from "./put.ts";

/** Everything before the body. */
export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
}

const longestHeadBytes = 64 * 1024;
const endOfHead = "\r\n\r\n";

/** Reads the head, then as much of the body as is kept. */
export class AnswerReader {
  readonly #connection: Deno.Conn;
  readonly #moved: () => void;
  readonly #buffer = new Uint8Array(16 * 1024);
  /** Received and not yet used, a character for a byte. */
  #pending = "";
  #headers = new Headers();

  /** @param moved told of every arrival */
  constructor(connection: Deno.Conn, moved: () => void) {
    this.#connection = connection;
    this.#moved = moved;
  }

  /** The final head; informational ones (1xx) are skipped. @throws when there is none */
  async head(): Promise<AnswerHead> {
    while (true) {
      const head = parseHead(await this.#textOfHead());
      if (head.status < 200) continue;
      this.#headers = head.headers;
      return head;
    }
  }

  /** The beginning of the body as text. */
  async body(): Promise<string> {
    const chunked = /\bchunked\b/i.test(this.#headers.get("transfer-encoding") ?? "");
    const announced = Number(this.#headers.get("content-length") ?? keptAnswerBytes);
    const wanted = chunked ? keptAnswerBytes : Math.min(announced, keptAnswerBytes);
    while (this.#pending.length < wanted && !(chunked && this.#pending.endsWith(`0${endOfHead}`))) {
      if (!await this.#receive()) break;
    }
    return utf8Of(chunked ? withoutChunkFrames(this.#pending) : this.#pending.slice(0, wanted));
  }

  async #textOfHead(): Promise<string> {
    let end: number;
    while ((end = this.#pending.indexOf(endOfHead)) < 0) {
      if (this.#pending.length > longestHeadBytes) {
        throw new Error("the store's answer has headers without end");
      }
      if (!await this.#receive()) throw new Error("the store closed the connection without an answer");
    }
    const head = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + endOfHead.length);
    return head;
  }

  async #receive(): Promise<boolean> {
    const count = await this.#connection.read(this.#buffer);
    if (count === null) return false;
    this.#moved();
    this.#pending += Buffer.from(this.#buffer.subarray(0, count)).toString("latin1");
    return true;
  }
}

function parseHead(text: string): AnswerHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const match = statusLine.match(/^HTTP\/1\.[01] (\d{3})(?: (.*))?$/);
  if (!match) throw new Error("the store's answer is not HTTP/1.1");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) {
      appendLeniently(headers, { name: line.slice(0, colon), value: line.slice(colon + 1).trim() });
    }
  }
  return { status: Number(match[1]), statusText: match[2] ?? "", headers };
}

/** A header that is none is only missing in the log. */
function appendLeniently(headers: Headers, { name, value }: { name: string; value: string }): void {
  try {
    headers.append(name, value);
  } catch {
    return;
  }
}

/** The data of a chunked body; of a cut one, what is there. */
function withoutChunkFrames(text: string): string {
  let data = "";
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\r\n", at);
    const size = end < 0 ? 0 : parseInt(text.slice(at, end), 16);
    if (!(size > 0)) break;
    data += text.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
  return data;
}

function utf8Of(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
