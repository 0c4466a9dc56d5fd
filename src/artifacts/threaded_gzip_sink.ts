/** The same copy, made on another thread while this one reads on. */

import { CopyError, type GzipSinkOptions } from "./gzip_sink.ts";
import type { SinkReply, SinkRequest } from "./gzip_sink_thread.ts";

/** Large enough for the messages not to count. */
const bufferBytes = 1024 * 1024;

/** While one buffer is compressed the other one is filled. */
const buffers = 2;

/** `room`, fill it, `push`; again and again, then `finish` or `close`. */
export class ThreadedGzipSink {
  readonly #thread: Worker;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #replied = Promise.withResolvers<void>();
  #started = false;
  #storedBytes: number | undefined;
  #problem: { readonly message: string } | undefined;

  /** Starts a copy. @throws CopyError when that fails or no thread can be had */
  static async create(options: GzipSinkOptions): Promise<ThreadedGzipSink> {
    const sink = new ThreadedGzipSink();
    try {
      sink.#send({ kind: "start", ...options });
      await sink.#until(() => sink.#started);
      for (let count = 0; count < buffers; count++) sink.#free.push(new Uint8Array(bufferBytes));
      return sink;
    } catch (error) {
      sink.close();
      throw error;
    }
  }

  private constructor() {
    this.#thread = new Worker(new URL("./gzip_sink_thread.ts", import.meta.url), { type: "module" });
    this.#thread.onmessage = (event: MessageEvent<SinkReply>) => this.#take(event.data);
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.#take({ kind: "problem", message: `The compressing thread failed: ${event.message}` });
    };
  }

  /** A buffer to fill, as soon as there is one. @throws CopyError */
  async room(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#until(() => this.#free.length > 0);
    return this.#free.pop()!;
  }

  /** Takes the first bytes of the buffer that `room` gave; the buffer is gone afterwards. */
  push(filled: Uint8Array<ArrayBuffer>): void {
    const { buffer, length } = filled;
    this.#send({ kind: "piece", buffer, lengthBytes: length }, [buffer]);
  }

  /** Ends the copy and the thread; the size of the copy. @throws CopyError */
  async finish(): Promise<number> {
    this.#send({ kind: "finish" });
    await this.#until(() => this.#storedBytes !== undefined);
    this.close();
    return this.#storedBytes!;
  }

  close(): void {
    this.#thread.terminate();
  }

  #send(request: SinkRequest, transfer: Transferable[] = []): void {
    this.#thread.postMessage(request, transfer);
  }

  #take(reply: SinkReply): void {
    if (reply.kind === "started") this.#started = true;
    if (reply.kind === "free") this.#free.push(new Uint8Array(reply.buffer));
    if (reply.kind === "finished") this.#storedBytes = reply.storedBytes;
    if (reply.kind === "problem") this.#problem ??= reply;
    this.#replied.resolve();
    this.#replied = Promise.withResolvers();
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!this.#problem && !reached()) await this.#replied.promise;
    if (this.#problem) {
      throw new CopyError("Cannot write the copy", { cause: new Error(this.#problem.message) });
    }
  }
}
