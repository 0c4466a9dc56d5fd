/** The thread that makes the compressed copy of a large artifact. */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { gzipPieceBytes } from "../base/gzip_member.ts";
import { errorText } from "../base/error_text.ts";
import { CopyError, GzipSink, type GzipSinkOptions } from "./gzip_sink.ts";

/** What to copy to where, then piece after piece, at last the end. */
export type SinkRequest =
  | ({ readonly kind: "start" } & GzipSinkOptions)
  /** The first `lengthBytes` of a buffer, which comes back with the answer. */
  | { readonly kind: "piece"; readonly buffer: ArrayBuffer; readonly lengthBytes: number }
  | { readonly kind: "finish" };

/** One for each request, in their order. */
export type SinkReply =
  | { readonly kind: "started" }
  | { readonly kind: "free"; readonly buffer: ArrayBuffer }
  | { readonly kind: "finished"; readonly storedBytes: number }
  | { readonly kind: "problem"; readonly message: string };

class Copying {
  #sink: GzipSink | undefined;

  async answer(request: SinkRequest): Promise<SinkReply> {
    try {
      return await this.#perform(request);
    } catch (error) {
      return { kind: "problem", message: errorText(error instanceof CopyError ? error.cause : error) };
    }
  }

  async #perform(request: SinkRequest): Promise<SinkReply> {
    if (request.kind === "start") {
      this.#sink = await GzipSink.create(request);
      return { kind: "started" };
    }
    if (!this.#sink) throw new Error("There is no copy to go on with");
    if (request.kind === "finish") return { kind: "finished", storedBytes: await this.#sink.finish() };
    const { buffer, lengthBytes } = request;
    for (let at = 0; at < lengthBytes; at += gzipPieceBytes) {
      await this.#sink.push(new Uint8Array(buffer, at, Math.min(gzipPieceBytes, lengthBytes - at)));
    }
    return { kind: "free", buffer };
  }
}

/** Requests may come faster than they are done. */
function serve(): void {
  const copying = new Copying();
  let before: Promise<void> = Promise.resolve();
  self.onmessage = (event: MessageEvent<SinkRequest>) => {
    before = before.then(async () => {
      const reply = await copying.answer(event.data);
      self.postMessage(reply, reply.kind === "free" ? [reply.buffer] : []);
    });
  };
}

serve();
