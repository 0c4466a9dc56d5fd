/** The thread that decompresses a file ahead of whoever extracts it. */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";
import { pieceBytes } from "./codec.ts";
import { codecNamed } from "./mod.ts";
import { readPieces } from "./read_pieces.ts";

/** Memory that can be handed to another thread. */
export type Carrier = Uint8Array<ArrayBuffer>;

/** First what to decompress, then each piece back that was used up, or `stop`. */
export type DecodeRequest =
  | { readonly path: string; readonly codec: string }
  | { readonly usedUp: Carrier }
  | "stop";

/** A piece of output, or, last, a problem or nothing. */
export interface DecodeReply {
  readonly piece?: Carrier;
  readonly problem?: { readonly kind: "damage" | "bug"; readonly message: string };
}

/** How far decompressing may run ahead of extracting. */
const piecesAhead = 4;

/** The memory that pieces travel in, there and back: fresh memory for each would pile up between collections. */
class Carriers {
  readonly #idle: Carrier[] = Array.from({ length: piecesAhead }, () => new Uint8Array(pieceBytes));
  #wake = () => {};
  stopped = false;

  giveBack(carrier: Carrier): void {
    this.#idle.push(carrier);
    this.#wake();
  }

  stop(): void {
    this.stopped = true;
    this.#wake();
  }

  /** A copy of `bytes` to be sent away, once there is room; undefined when no more is wanted. */
  async load(bytes: Uint8Array): Promise<Carrier | undefined> {
    while (this.#idle.length === 0 && !this.stopped) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const carrier = this.#idle.pop();
    if (this.stopped || carrier === undefined) return undefined;
    if (carrier.buffer.byteLength < bytes.length) return new Uint8Array(bytes);
    const piece = new Uint8Array(carrier.buffer, 0, bytes.length);
    piece.set(bytes);
    return piece;
  }
}

listen(new Carriers());

function listen(carriers: Carriers): void {
  self.onmessage = ({ data }: MessageEvent<DecodeRequest>) => {
    if (data === "stop") carriers.stop();
    else if ("usedUp" in data) carriers.giveBack(data.usedUp);
    else void run(data, carriers);
  };
}

async function run(request: { path: string; codec: string }, carriers: Carriers): Promise<void> {
  try {
    await sendAll(request, carriers);
    reply({});
  } catch (error) {
    const kind = error instanceof Damage ? "damage" : "bug";
    reply({ problem: { kind, message: errorText(error) } });
  }
}

async function sendAll(request: { path: string; codec: string }, carriers: Carriers): Promise<void> {
  const codec = codecNamed(request.codec);
  if (codec === undefined) throw new Error(`There is no codec ${request.codec}`);
  for await (const output of codec.decode(readPieces(request.path))) {
    const piece = await carriers.load(output);
    if (piece === undefined) return;
    reply({ piece }, [piece.buffer]);
  }
}

function reply(message: DecodeReply, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}
