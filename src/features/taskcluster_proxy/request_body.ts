/** The body of a request on its way through: kept while it is small, so that it can be sent again. */

import { BodyReader, type Framing, type Pieces } from "./message_body.ts";

/** Bodies up to here are kept. Larger ones are sent once, while they arrive. */
const keptBytes = 1024 * 1024;

/** It is the client, not the service, that failed. */
export class ClientGone extends Error {
  override name = "ClientGone";
}

/** What an attempt sends. */
export class RequestBody {
  readonly #reader: BodyReader;
  readonly #kept: Uint8Array | undefined;
  readonly #beginning: readonly Uint8Array[];

  private constructor(reader: BodyReader, beginning: readonly Uint8Array[]) {
    this.#reader = reader;
    this.#beginning = beginning;
    this.#kept = reader.consumed ? joined(beginning) : undefined;
  }

  /** Reads what is small enough. @throws BrokenMessage when the client stops in the middle */
  static async of(reader: BodyReader): Promise<RequestBody> {
    const { framing } = reader;
    const pieces: Uint8Array[] = [];
    if (framing.kind === "length" && framing.sizeBytes > keptBytes) return new RequestBody(reader, pieces);
    for (let sizeBytes = 0; sizeBytes <= keptBytes;) {
      const piece = await reader.next();
      if (!piece) break;
      pieces.push(piece.slice());
      sizeBytes += piece.length;
    }
    return new RequestBody(reader, pieces);
  }

  /** All of it, where it can be sent more than once. */
  get kept(): Uint8Array | undefined {
    return this.#kept;
  }

  /** How it is to be announced. A body that is kept has a length, even where the client sent it in chunks. */
  get framing(): Framing {
    const { framing } = this.#reader;
    if (!this.#kept || framing.kind === "none") return framing;
    return { kind: "length", sizeBytes: this.#kept.length };
  }

  /** What is not kept, to be sent once. @throws ClientGone when the client stops in the middle */
  pieces(): Pieces {
    const first = this.#kept ? [] : [...this.#beginning];
    return { next: async () => first.shift() ?? await this.#nextOfClient() };
  }

  async #nextOfClient(): Promise<Uint8Array | undefined> {
    try {
      return await this.#reader.next();
    } catch (cause) {
      throw new ClientGone("The client stopped inside its request", { cause });
    }
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
