/** Bodies of HTTP/1.1 messages: where they end, reading and writing them piece by piece (RFC 9112 §6, §7). */

import { BrokenMessage, type ByteReader } from "./byte_reader.ts";
import { type AnswerHead, type Fields, type RequestHead, valuesOf } from "./message_head.ts";

/** How the end of a body is told. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly sizeBytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

/** @throws BrokenMessage for what two readers could understand differently */
export function requestFraming({ fields }: Pick<RequestHead, "fields">): Framing {
  return declaredFraming(fields) ?? { kind: "none" };
}

/** @throws BrokenMessage */
export function answerFraming({ status, fields }: AnswerHead, method: string): Framing {
  if (method === "HEAD" || status === 204 || status === 304) return { kind: "none" };
  return declaredFraming(fields) ?? { kind: "until-close" };
}

function declaredFraming(fields: Fields): Framing | undefined {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = new Set(valuesOf(fields, "content-length"));
  if (codings.length > 0) {
    if (lengths.size > 0) throw new BrokenMessage("The message has two lengths");
    if (codings.join().trim().toLowerCase() === "chunked") return { kind: "chunked" };
    throw new BrokenMessage("The transfer coding is not supported", 501);
  }
  if (lengths.size === 0) return undefined;
  const [length = ""] = lengths;
  if (lengths.size > 1 || !/^\d{1,15}$/.test(length)) {
    throw new BrokenMessage("The message has no valid length");
  }
  return { kind: "length", sizeBytes: Number(length) };
}

/** Anything that gives a body piece by piece. */
export interface Pieces {
  /** The next bytes, valid until the next call; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
}

/** Reads one body to its end and not a byte further. */
export class BodyReader implements Pieces {
  readonly framing: Framing;
  readonly #reader: ByteReader;
  /** Of the body, or of the chunk being read. */
  #leftBytes: number;
  #inChunk = false;
  #consumed: boolean;

  constructor(reader: ByteReader, framing: Framing) {
    this.#reader = reader;
    this.framing = framing;
    this.#leftBytes = framing.kind === "length"
      ? framing.sizeBytes
      : framing.kind === "until-close"
      ? Infinity
      : 0;
    this.#consumed = framing.kind === "none" || (framing.kind === "length" && framing.sizeBytes === 0);
  }

  /** Nothing of it is left on the connection. */
  get consumed(): boolean {
    return this.#consumed;
  }

  /** @throws BrokenMessage when the connection ends before the body */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#consumed) return undefined;
    if (this.framing.kind === "chunked" && this.#leftBytes === 0 && !await this.#openChunk()) {
      return undefined;
    }
    const piece = await this.#reader.take(this.#leftBytes);
    if (!piece) return this.#onEnd();
    this.#leftBytes -= piece.length;
    if (this.#leftBytes === 0 && this.framing.kind === "length") this.#consumed = true;
    return piece;
  }

  #onEnd(): undefined {
    if (this.framing.kind !== "until-close") throw new BrokenMessage("The connection ended inside a body");
    this.#consumed = true;
  }

  /** False after the last chunk. */
  async #openChunk(): Promise<boolean> {
    if (this.#inChunk && await this.#reader.line() !== "") throw new BrokenMessage("A chunk is too long");
    const size = /^([0-9a-f]{1,12})[ \t]*(;.*)?$/i.exec(await this.#reader.line())?.[1];
    if (size === undefined) throw new BrokenMessage("A chunk has no size");
    this.#leftBytes = parseInt(size, 16);
    this.#inChunk = this.#leftBytes > 0;
    if (this.#inChunk) return true;
    while (await this.#reader.line() !== "") continue;
    this.#consumed = true;
    return false;
  }
}

/** Where bytes go; a `Deno.Conn` is one. */
export interface WritableBytes {
  write(bytes: Uint8Array): Promise<number>;
}

export async function writeAll(target: WritableBytes, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await target.write(at === 0 ? bytes : bytes.subarray(at));
}

/** Sends all pieces; in chunks where the receiver can't know the length otherwise. */
export async function writeBody(
  target: WritableBytes,
  { pieces, chunked }: { pieces: Pieces; chunked: boolean },
): Promise<void> {
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
    await writeAll(target, chunked ? asChunk(piece) : piece);
  }
  if (chunked) await writeAll(target, encoder.encode("0\r\n\r\n"));
}

const encoder = new TextEncoder();

function asChunk(piece: Uint8Array): Uint8Array {
  const size = encoder.encode(`${piece.length.toString(16)}\r\n`);
  const chunk = new Uint8Array(size.length + piece.length + 2);
  chunk.set(size);
  chunk.set(piece, size.length);
  chunk.set([13, 10], size.length + piece.length);
  return chunk;
}
