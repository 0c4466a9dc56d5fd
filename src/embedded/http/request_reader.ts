/** Parses requests of HTTP/1.1 off a connection (RFC 9112). */

import type { ByteSource } from "./byte_source.ts";
import { ConnectionLost, type RequestBody } from "./message.ts";

/** Request line and header fields. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The client wants to send another request on this connection. */
  readonly keepAlive: boolean;
}

/**
 * Waits for the next request.
 * @returns undefined when the client closed the connection between requests
 * @throws ConnectionLost when what arrives is no request
 */
export async function readHead(source: ByteSource): Promise<RequestHead | undefined> {
  if (!await source.ready()) return undefined;
  const match = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(await source.line());
  if (match === null) throw new ConnectionLost("The request line is not one of HTTP/1.1");
  const [, method = "", target = "", minor] = match;
  const headers = await readHeaders(source);
  const keepAlive = minor === "1" && headers.get("connection")?.toLowerCase() !== "close";
  return { method, target: withoutOrigin(target), headers, keepAlive };
}

async function readHeaders(source: ByteSource): Promise<Map<string, string>> {
  const headers = new Map<string, string>();
  while (true) {
    const line = await source.line();
    if (line === "") return headers;
    const colon = line.indexOf(":");
    if (colon <= 0 || headers.size > 200) {
      throw new ConnectionLost("A header field of the request is malformed");
    }
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
}

/** Clients that believe to speak to a proxy send the whole URL. */
function withoutOrigin(target: string): string {
  return target.replace(/^https?:\/\/[^/]*/i, "") || "/";
}

/** Chunks of large bodies: fewer reads and writes cost less than the memory. */
const chunkBytes = 512 * 1024;

/** The body of the request just read; knows when it has been read to its end. */
export class SourceBody implements RequestBody {
  readonly lengthBytes: number | undefined;
  readonly chunked: boolean;
  readonly #source: ByteSource;
  readonly #beforeFirstByte: () => Promise<void>;
  #begun = false;
  #consumed: boolean;

  /** @param options.beforeFirstByte runs once before bytes are waited for, to invite the client to send them */
  constructor(source: ByteSource, head: RequestHead, options: { beforeFirstByte: () => Promise<void> }) {
    this.#source = source;
    this.#beforeFirstByte = options.beforeFirstByte;
    this.chunked = head.headers.get("transfer-encoding")?.toLowerCase().includes("chunked") ?? false;
    this.lengthBytes = this.chunked ? undefined : contentLength(head.headers.get("content-length"));
    this.#consumed = !this.chunked && (this.lengthBytes ?? 0) === 0;
  }

  /** Nothing of this body is left on the connection. */
  get consumed(): boolean {
    return this.#consumed;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    if (this.#consumed) return;
    if (!this.#begun) await this.#beforeFirstByte();
    this.#begun = true;
    if (this.chunked) yield* this.#encodedChunks();
    else yield* this.#counted(this.lengthBytes ?? 0);
    this.#consumed = true;
  }

  async *#counted(lengthBytes: number): AsyncGenerator<Uint8Array> {
    let leftBytes = lengthBytes;
    let large: Uint8Array | undefined;
    while (leftBytes > 0) {
      let chunk = this.#source.buffered(leftBytes);
      if (chunk.length === 0) {
        large ??= new Uint8Array(Math.min(chunkBytes, leftBytes));
        chunk = await this.#source.readInto(large.subarray(0, Math.min(large.length, leftBytes)));
      }
      leftBytes -= chunk.length;
      yield chunk;
    }
  }

  async *#encodedChunks(): AsyncGenerator<Uint8Array> {
    while (true) {
      const size = /^([0-9a-f]{1,12})\s*(;.*)?$/i.exec(await this.#source.line())?.[1];
      if (size === undefined) throw new ConnectionLost("A chunk of the request has no size");
      const lengthBytes = parseInt(size, 16);
      if (lengthBytes === 0) break;
      yield* this.#counted(lengthBytes);
      await this.#source.line();
    }
    while (await this.#source.line() !== "") continue;
  }
}

function contentLength(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(value)) throw new ConnectionLost("Content-Length is not a number");
  return Number(value);
}
