/** Buffered reading from a TCP connection: lines, counted bytes, and noticing that the peer is gone. */

import { ConnectionLost } from "./message.ts";

const bufferBytes = 64 * 1024;
const lineFeed = 10;

/** What is read from; a `Deno.Conn` is one. */
export interface ByteReader {
  read(buffer: Uint8Array): Promise<number | null>;
}

/** One reader, one consumer at a time. */
export class ByteSource {
  readonly #reader: ByteReader;
  readonly #buffer = new Uint8Array(bufferBytes);
  #start = 0;
  #end = 0;
  #filling: Promise<boolean> | undefined;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** Reads once more into the buffer, sharing a read that is under way. False at the end of the stream. */
  fill(): Promise<boolean> {
    this.#filling ??= this.#readMore().finally(() => this.#filling = undefined);
    return this.#filling;
  }

  /** Waits until there is something to read. False at the end of the stream. */
  async ready(): Promise<boolean> {
    return this.#end > this.#start || await this.fill();
  }

  /**
   * Text up to the next line break, without it.
   * @throws ConnectionLost when the stream ends before, or the line exceeds the buffer
   */
  async line(): Promise<string> {
    let searched = 0;
    while (true) {
      const at = this.#buffer.subarray(this.#start + searched, this.#end).indexOf(lineFeed);
      if (at >= 0) return this.#takeLine(searched + at);
      searched = this.#end - this.#start;
      if (!await this.fill()) throw new ConnectionLost("The connection ended inside a line");
    }
  }

  /** Up to `limitBytes` bytes that have already been read; empty when there are none. Valid until the next call. */
  buffered(limitBytes: number): Uint8Array {
    const from = this.#start;
    this.#start = Math.min(this.#end, from + limitBytes);
    return this.#buffer.subarray(from, this.#start);
  }

  /** Reads past the buffer, which must be empty. @throws ConnectionLost at the end of the stream */
  async readInto(target: Uint8Array): Promise<Uint8Array> {
    const count = await this.#reader.read(target);
    if (count === null) throw new ConnectionLost("The connection ended inside a body");
    return target.subarray(0, count);
  }

  async #readMore(): Promise<boolean> {
    this.#makeRoom();
    if (this.#end === bufferBytes) throw new ConnectionLost("A line of the request is too long");
    const count = await this.#reader.read(this.#buffer.subarray(this.#end));
    if (count === null) return false;
    this.#end += count;
    return true;
  }

  #makeRoom(): void {
    if (this.#start === 0) return;
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  #takeLine(lengthBytes: number): string {
    const bytes = this.buffered(lengthBytes + 1);
    const text = latin1(bytes.subarray(0, lengthBytes));
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  }
}

/** Header bytes as the text they are in HTTP/1.1; `TextDecoder` would map some of them to other characters. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
