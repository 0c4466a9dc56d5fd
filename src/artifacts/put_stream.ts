/**
 * Puts a body that is read while it is sent, with its exact length and never chunked.
 *
 * `fetch` sends every stream chunked, which presigned URLs refuse. `node:http` can be told a length, but on
 * Deno 2.4 takes four times the CPU of this and keeps the whole body in memory (1.1 GB for 1 GB, measured). So
 * this speaks just enough HTTP/1.1 (RFC 9112) itself: one request and one answer on a connection of its own,
 * through a proxy where `fetch` would take one.
 */

import { ArtifactError } from "./artifact_error.ts";
import { type AnswerHead, AnswerReader } from "./answer_reader.ts";
import { dial } from "./dial.ts";
import { type Proxy, proxyFor, type ReadVariable } from "./proxy.ts";
import { isHeaderValue, type PutAnswer, type PutOptions, StalledError } from "./put.ts";

export interface StreamRequest extends PutOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly lengthBytes: number;
  /** The next bytes of the body, valid until the next call; undefined at its end. */
  readonly read: () => Promise<Uint8Array | undefined>;
  /** Where variables that name a proxy come from. Default: the environment, as for `fetch`. */
  readonly readVariable?: ReadVariable;
}

/**
 * Sends the request and gives the answer, which may come before the body is through when the store refuses.
 *
 * @throws what `read` throws; ArtifactError when it gives another number of bytes; StalledError; the system's error when the connection breaks without an answer; the
 * signal's reason when aborted
 */
export async function putStream(url: string, request: StreamRequest): Promise<PutAnswer> {
  const { signal, stallMs } = request;
  signal.throwIfAborted();
  using guard = new ConnectionGuard(signal, stallMs);
  const target = new URL(url);
  const proxy = proxyFor(target, request.readVariable ?? ((name) => Deno.env.get(name)));
  const opening = requestHead(target, { request, proxy });
  const { caCerts } = request;
  const connection = await guard.connect((onConnection) =>
    dial(target, { proxy, onConnection, ...(caCerts ? { caCerts } : {}) })
  );
  const answer = new AnswerReader(connection, () => guard.moved());
  const head = settled(answer.head());
  const content = new Content(request.read);
  const sent = settled(send(connection, { opening, content, lengthBytes: request.lengthBytes, guard, head }));
  try {
    await answeredOrSent(sent, { head, guard });
    const { status, statusText, headers } = await guard.watch(head.promise);
    const body = status < 300 ? "" : await guard.watch(answer.body()).catch(() => "");
    return { status, statusText, headers, body };
  } finally {
    guard.hangUp();
    await guard.watch(content.stop()).catch(() => {});
  }
}

/** Waits until nothing is left to be done but to read the answer. */
async function answeredOrSent(
  sent: Settled<void>,
  { head, guard }: { head: Settled<AnswerHead>; guard: ConnectionGuard },
): Promise<void> {
  try {
    // A store that has answered may leave the rest of the body unread for ever.
    await guard.watch(Promise.race([sent.promise, head.promise]));
  } catch (error) {
    guard.throwIfEnded();
    if (error instanceof BodyError) throw error.cause;
    // A store that refuses may hang up before it has read everything; what it said comes first.
    const refusal = await guard.watch(head.promise).catch(() => undefined);
    if (!refusal) throw error;
  }
}

interface Sending {
  readonly opening: Uint8Array;
  readonly content: Content;
  readonly lengthBytes: number;
  readonly guard: ConnectionGuard;
  readonly head: Settled<AnswerHead>;
}

async function send(connection: Deno.Conn, sending: Sending): Promise<void> {
  const { opening, content, lengthBytes, guard, head } = sending;
  await writeAll(connection, { bytes: opening, guard });
  let sentBytes = 0;
  while (!head.done) {
    const bytes = await content.next();
    if (bytes === undefined) break;
    sentBytes += bytes.length;
    if (sentBytes > lengthBytes) break;
    guard.moved();
    await writeAll(connection, { bytes, guard });
  }
  if (!head.done && sentBytes !== lengthBytes) {
    const problem = `Cannot send the file: it has ${sentBytes} bytes now, not ${lengthBytes} as announced`;
    throw new BodyError(problem, { cause: new ArtifactError("unreadable", problem) });
  }
}

/** What went wrong lies in the body, not on the connection. */
class BodyError extends Error {}

/** The body, which nobody reads any more once it is stopped: the next attempt starts over in the same file. */
class Content {
  readonly #read: () => Promise<Uint8Array | undefined>;
  #pending: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(read: () => Promise<Uint8Array | undefined>) {
    this.#read = read;
  }

  /** @throws BodyError */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#stopped) return undefined;
    const piece = this.#read();
    this.#pending = piece;
    try {
      return await piece;
    } catch (cause) {
      throw new BodyError("Cannot read the body", { cause });
    }
  }

  /** Waits for the piece on its way. A write may be left behind: closing its connection does not always end it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#pending.catch(() => {});
  }
}

function requestHead(target: URL, { request, proxy }: { request: StreamRequest; proxy: Proxy | undefined }) {
  const isRelayed = proxy !== undefined && target.protocol === "http:";
  const all = {
    "Host": target.host,
    ...request.headers,
    ...(isRelayed && proxy.authorization ? { "Proxy-Authorization": proxy.authorization } : {}),
    "Content-Length": String(request.lengthBytes),
    "Connection": "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${headerValue(value)}\r\n`);
  const place = isRelayed ? `http://${target.host}${target.pathname}` : target.pathname;
  return new TextEncoder().encode(`PUT ${place}${target.search} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

/** Content types come out of payloads: none may end its line and begin another. */
function headerValue(value: string): string {
  if (isHeaderValue(value)) return value;
  throw new TypeError(`Cannot send header value ${JSON.stringify(value)}: it is not printable ASCII`);
}

async function writeAll(
  connection: Deno.Conn,
  { bytes, guard }: { bytes: Uint8Array; guard: ConnectionGuard },
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
    guard.moved();
  }
}

/** Closes the connection, which ends whatever goes on there, on abort or when nothing moves. */
class ConnectionGuard implements Disposable {
  readonly #signal: AbortSignal;
  readonly #stallMs: number;
  readonly #ended = Promise.withResolvers<never>();
  #connection: Deno.Conn | undefined;
  #timer: ReturnType<typeof setTimeout>;
  #movedMs = performance.now();
  #end: { readonly reason: unknown } | undefined;

  constructor(signal: AbortSignal, stallMs: number) {
    this.#signal = signal;
    this.#stallMs = stallMs;
    this.#ended.promise.catch(() => {});
    this.#timer = setTimeout(this.#onTimer, stallMs);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  moved(): void {
    this.#movedMs = performance.now();
  }

  /** @param dial gives the connection; what it opens on the way it tells of at once */
  async connect(
    dial: (onConnection: (connection: Deno.Conn) => void) => Promise<Deno.Conn>,
  ): Promise<Deno.Conn> {
    const connecting = dial((connection) => {
      this.#connection = connection;
      if (this.#end) this.hangUp();
    });
    try {
      this.#connection = await this.watch(connecting);
      return this.#connection;
    } catch (error) {
      connecting.then((late) => late.close(), () => {});
      throw error;
    }
  }

  /** The same promise, ended by whatever ends the connection. */
  watch<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {});
    return Promise.race([this.#ended.promise, work]);
  }

  throwIfEnded(): void {
    if (this.#end) throw this.#end.reason;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.hangUp();
  }

  hangUp(): void {
    try {
      this.#connection?.close();
    } catch {
      // It broke before; closed it is.
    }
    this.#connection = undefined;
  }

  readonly #onAbort = () => this.#endWith(this.#signal.reason);

  readonly #onTimer = () => {
    const leftMs = this.#movedMs + this.#stallMs - performance.now();
    if (leftMs <= 0) return this.#endWith(new StalledError(this.#stallMs));
    this.#timer = setTimeout(this.#onTimer, leftMs);
  };

  #endWith(reason: unknown): void {
    this.#end ??= { reason };
    this.#ended.reject(reason);
    this.hangUp();
  }
}

interface Settled<T> {
  readonly promise: Promise<T>;
  /** Has a result come, of whatever kind? */
  readonly done: boolean;
}

function settled<T>(promise: Promise<T>): Settled<T> {
  const state = { promise, done: false };
  const finish = () => void (state.done = true);
  promise.then(finish, finish);
  return state;
}
