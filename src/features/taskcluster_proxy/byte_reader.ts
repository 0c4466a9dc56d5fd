/** Buffered reading off a connection: lines, and pieces of bodies. */

/** What is read from; a `Deno.Conn` is one. */
export interface ReadableBytes {
  read(buffer: Uint8Array): Promise<number | null>;
}

/** The other side does not speak HTTP/1.1, or stopped in the middle. */
export class BrokenMessage extends Error {
  override name = "BrokenMessage";
  /** What to answer where an answer is still possible. */
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

const bufferBytes = 64 * 1024;
const lineFeed = 10;

/** One consumer at a time; only `fill` may be called while another call waits. */
export class ByteReader {
  readonly #source: ReadableBytes;
  readonly #buffer = new Uint8Array(bufferBytes);
  #start = 0;
  #end = 0;
  #filling: Promise<boolean> | undefined;

  constructor(source: ReadableBytes) {
    this.#source = source;
  }

  /** Bytes that were received and not yet taken. */
  get bufferedBytes(): number {
    return this.#end - this.#start;
  }

  /** Receives once more, sharing a reception under way. False at the end. @throws BrokenMessage when full */
  fill(): Promise<boolean> {
    this.#filling ??= this.#receive().finally(() => this.#filling = undefined);
    return this.#filling;
  }

  /** Waits for something to take. False at the end. */
  async ready(): Promise<boolean> {
    return this.bufferedBytes > 0 || await this.fill();
  }

  /** The text up to the next line break, a character for a byte. @throws BrokenMessage when there is none */
  async line(): Promise<string> {
    let searched = 0;
    while (true) {
      const at = this.#buffer.subarray(this.#start + searched, this.#end).indexOf(lineFeed);
      if (at >= 0) return this.#takeLine(searched + at);
      searched = this.bufferedBytes;
      if (!await this.fill()) throw new BrokenMessage("The connection ended inside a line");
    }
  }

  /** Some bytes, at most `limitBytes`, valid until the next call; undefined at the end. */
  async take(limitBytes: number): Promise<Uint8Array | undefined> {
    if (!await this.ready()) return undefined;
    const from = this.#start;
    this.#start = Math.min(this.#end, from + limitBytes);
    return this.#buffer.subarray(from, this.#start);
  }

  async #receive(): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === bufferBytes) throw new BrokenMessage("A line is too long", 431);
    const count = await this.#source.read(this.#buffer.subarray(this.#end));
    if (count === null) return false;
    this.#end += count;
    return true;
  }

  #takeLine(lengthBytes: number): string {
    const bytes = this.#buffer.subarray(this.#start, this.#start + lengthBytes);
    this.#start += lengthBytes + 1;
    const text = String.fromCharCode(...bytes.subarray(0, 8192)) + restOf(bytes, 8192);
    return text.endsWith("\r") ? text.slice(0, -1) : text;
  }
}

/** Header bytes are their own characters in HTTP/1.1; `TextDecoder` would map some of them to others. */
function restOf(bytes: Uint8Array, from: number): string {
  let text = "";
  for (let at = from; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
