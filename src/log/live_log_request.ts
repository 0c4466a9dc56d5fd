/** Reads the request of a live log's reader off its connection (RFC 9112): its head, and nothing larger than that. */

/** What it is read from; a `Deno.Conn` is one. */
export interface RequestSource {
  read(buffer: Uint8Array): Promise<number | null>;
}

export interface LiveLogRequest {
  readonly method: string;
  /** As sent: compared byte for byte. */
  readonly target: string;
  /** Does the client know chunked encoding (HTTP/1.1)? */
  readonly chunks: boolean;
  /** By lower-case name; values of a repeated header are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Not a request that can be served; `status` says why. */
export class BadRequest extends Error {
  override name = "BadRequest";
  readonly status: 400 | 431 | 505;

  constructor(status: 400 | 431 | 505, message: string) {
    super(message);
    this.status = status;
  }
}

const largestHeadBytes = 16 * 1024;
const mostHeaders = 100;
const firstReadBytes = 2 * 1024;
const headEnd = /\r?\n\r?\n/;

/**
 * Waits for the head of a request; a body is left unread.
 *
 * @returns undefined when the client went away before it was complete
 * @throws BadRequest; the connection's error
 */
export async function readRequest(source: RequestSource): Promise<LiveLogRequest | undefined> {
  let buffer = new Uint8Array(firstReadBytes);
  let filled = 0;
  while (true) {
    const count = await source.read(buffer.subarray(filled));
    if (count === null) return undefined;
    filled += count;
    const text = asciiText(buffer.subarray(0, filled));
    const end = text.search(headEnd);
    if (end >= 0) return parseHead(text.slice(0, end));
    if (filled < buffer.length) continue;
    if (filled >= largestHeadBytes) throw new BadRequest(431, "The head of the request is too large");
    const larger = new Uint8Array(Math.min(2 * buffer.length, largestHeadBytes));
    larger.set(buffer);
    buffer = larger;
  }
}

/** Bytes that are not ASCII become characters that match nothing. */
function asciiText(bytes: Uint8Array): string {
  return new TextDecoder("windows-1252").decode(bytes);
}

function parseHead(text: string): LiveLogRequest {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const [, method, target, version] = /^([!#$%&'*+.^_`|~\w-]+) (\S+) HTTP\/(\d\.\d)$/.exec(first) ?? [];
  if (method === undefined || target === undefined) {
    throw new BadRequest(400, "The request line is not one of HTTP");
  }
  if (version !== "1.1" && version !== "1.0") {
    throw new BadRequest(505, `HTTP version ${version} is not supported`);
  }
  return { method, target, chunks: version === "1.1", headers: parseHeaders(lines) };
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  if (lines.length > mostHeaders) throw new BadRequest(431, "The request has too many headers");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ""] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw new BadRequest(400, "A header of the request is malformed");
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}
