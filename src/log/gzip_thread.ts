/** The thread that makes the compressed copy of a long log. */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { errorText } from "../base/error_text.ts";
import { type CopyPaths, GzipCopy } from "./gzip_copy.ts";

/** First what to copy, then how much to take, each time; at last the end. */
export type ThreadRequest =
  | ({ readonly kind: "start" } & CopyPaths)
  | { readonly kind: "take"; readonly availableBytes: number }
  | { readonly kind: "finish" };

/** The answer to each request: bytes taken, size of the finished copy, or what went wrong. */
export type ThreadReply = { readonly count: number } | { readonly problem: string };

class Copying {
  #copy: GzipCopy | undefined;

  async answer(request: ThreadRequest): Promise<ThreadReply> {
    try {
      return { count: await this.#perform(request) };
    } catch (error) {
      return { problem: errorText(error) };
    }
  }

  async #perform(request: ThreadRequest): Promise<number> {
    if (request.kind === "start") {
      this.#copy = new GzipCopy(request);
      return 0;
    }
    if (!this.#copy) throw new Error("There is no copy to go on with");
    if (request.kind === "finish") return await this.#copy.finish();
    return await takeAll(this.#copy, request.availableBytes);
  }
}

async function takeAll(copy: GzipCopy, availableBytes: number): Promise<number> {
  let takenBytes = 0;
  while (takenBytes < availableBytes) {
    const count = await copy.take(availableBytes - takenBytes);
    if (count === 0) break;
    takenBytes += count;
  }
  return takenBytes;
}

function serve(): void {
  const copying = new Copying();
  self.onmessage = async (event: MessageEvent<ThreadRequest>) => {
    self.postMessage(await copying.answer(event.data));
  };
}

serve();
