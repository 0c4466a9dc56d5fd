/** The same copy, made on another thread. */

import type { CopyPaths } from "./gzip_copy.ts";
import type { ThreadReply, ThreadRequest } from "./gzip_thread.ts";

/** One request at a time. */
export class ThreadedGzipCopy {
  readonly #thread: Worker;
  #answered = Promise.withResolvers<ThreadReply>();

  /** Starts a copy; the target must not exist. @throws when that fails or no thread can be had */
  static async start(paths: CopyPaths): Promise<ThreadedGzipCopy> {
    const copy = new ThreadedGzipCopy();
    try {
      await copy.#ask({ kind: "start", ...paths });
    } catch (error) {
      copy.close();
      throw error;
    }
    return copy;
  }

  private constructor() {
    this.#thread = new Worker(new URL("./gzip_thread.ts", import.meta.url), { type: "module" });
    this.#thread.onmessage = (event: MessageEvent<ThreadReply>) => this.#answered.resolve(event.data);
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.#answered.resolve({ problem: `The compressing thread failed: ${event.message}` });
    };
  }

  /** Compresses the next `availableBytes`; how many there were. */
  take(availableBytes: number): Promise<number> {
    return this.#ask({ kind: "take", availableBytes });
  }

  /** Ends the copy and the thread; the size of the copy. */
  async finish(): Promise<number> {
    const storedBytes = await this.#ask({ kind: "finish" });
    this.close();
    return storedBytes;
  }

  close(): void {
    this.#thread.terminate();
  }

  async #ask(request: ThreadRequest): Promise<number> {
    this.#answered = Promise.withResolvers();
    this.#thread.postMessage(request);
    const reply = await this.#answered.promise;
    if ("problem" in reply) throw new Error(reply.problem);
    return reply.count;
  }
}
