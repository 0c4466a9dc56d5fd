/** The thread that decompresses a file ahead of whoever extracts it. */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";
import { codecNamed } from "./mod.ts";
import { readPieces } from "./read_pieces.ts";

/** First what to decompress, then `more` for each piece that was used up, or `stop`. */
export type DecodeRequest = { readonly path: string; readonly codec: string } | "more" | "stop";

/** A piece of output, or, last, a problem or nothing. */
export interface DecodeReply {
  readonly piece?: Uint8Array;
  readonly problem?: { readonly kind: "damage" | "bug"; readonly message: string };
}

const piecesAhead = 16;

/** Pieces that may be sent; others wait for it. */
class Credit {
  #pieces = piecesAhead;
  #wake = () => {};
  stopped = false;

  give(request: "more" | "stop"): void {
    this.#pieces++;
    if (request === "stop") this.stopped = true;
    this.#wake();
  }

  async take(): Promise<void> {
    while (this.#pieces <= 0) await new Promise<void>((resolve) => this.#wake = resolve);
    this.#pieces--;
  }
}

listen(new Credit());

function listen(credit: Credit): void {
  self.onmessage = (event: MessageEvent<DecodeRequest>) => {
    if (typeof event.data === "string") credit.give(event.data);
    else void run(event.data, credit);
  };
}

async function run(request: { path: string; codec: string }, credit: Credit): Promise<void> {
  try {
    await sendAll(request, credit);
    reply({});
  } catch (error) {
    const kind = error instanceof Damage ? "damage" : "bug";
    reply({ problem: { kind, message: errorText(error) } });
  }
}

async function sendAll(request: { path: string; codec: string }, credit: Credit): Promise<void> {
  const codec = codecNamed(request.codec);
  if (codec === undefined) throw new Error(`There is no codec ${request.codec}`);
  for await (const output of codec.decode(readPieces(request.path))) {
    await credit.take();
    if (credit.stopped) return;
    const piece = output.slice();
    reply({ piece }, [piece.buffer]);
  }
}

function reply(message: DecodeReply, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}
