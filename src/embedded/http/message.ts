/** What the embedded services' HTTP server hands to its handler and takes back. */

/** A request whose head has arrived; the body is read when asked for. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query exactly as sent, which is what signatures cover. */
  readonly target: string;
  /** By lower-case name; repeated ones are joined by a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: RequestBody;
  /** Aborts when the client goes away or the server stops. */
  readonly signal: AbortSignal;
}

/** The bytes that follow a request's head. */
export interface RequestBody {
  /** From Content-Length; undefined when it was not sent. */
  readonly lengthBytes: number | undefined;
  readonly chunked: boolean;
  /**
   * The bytes as they arrive. A chunk is only valid until the next one is asked for.
   * @throws ConnectionLost when the client stops in the middle
   */
  chunks(): AsyncIterable<Uint8Array>;
}

/** Bytes produced while they are sent. Ending early, or throwing, cuts the connection. */
export interface ByteStream {
  readonly lengthBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | ByteStream;
}

/** Told to the server in place of an answer: close the connection, send nothing. */
export const noAnswer = Symbol("no answer");

export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer | typeof noAnswer>;

/** The other side is gone, or does not speak HTTP. */
export class ConnectionLost extends Error {
  override name = "ConnectionLost";
}

/** Collects a body. @returns undefined when it is longer than `limitBytes` */
export async function readBody(
  body: RequestBody,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body.chunks()) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) return undefined;
    parts.push(chunk.slice());
  }
  return joined(parts, sizeBytes);
}

function joined(parts: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
