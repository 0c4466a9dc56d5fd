/**
 * An HTTP/1.1 server for the loopback interface that can also misbehave: close a connection without an answer, stop
 * inside a body, tell a chunked request from a counted one. `Deno.serve` can do none of these, and takes twice the
 * CPU for large bodies, which it hands out in pieces of 64 KB.
 */

import { ByteSource } from "./byte_source.ts";
import {
  type ByteStream,
  ConnectionLost,
  type HttpAnswer,
  type HttpHandler,
  type HttpRequest,
  noAnswer,
} from "./message.ts";
import { readHead, type RequestHead, SourceBody } from "./request_reader.ts";

export interface HttpServerOptions {
  /** 0: any free port. */
  port: number;
  /** Must not throw anything but ConnectionLost; whatever else it throws ends the connection and is reported. */
  handler: HttpHandler;
  /** Time for the `Date` header, milliseconds since the epoch. */
  dateMs: () => number;
  /** Told of errors that are no fault of the client. */
  onError: (error: unknown) => void;
}

/** Serves 127.0.0.1 until stopped. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #accepting: Promise<void>;

  /** Listens at once. @throws Deno.errors.AddrInUse */
  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: options.port });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes all connections, answered or not, and waits for their handlers to end. */
  async stop(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections.keys()) connection.close();
    await Promise.all(this.#connections.values());
  }

  async #accept(): Promise<void> {
    while (true) {
      const conn = await nextConnection(this.#listener);
      if (conn === undefined) return;
      conn.setNoDelay(true);
      const connection = new Connection(conn, this.#options);
      const served = connection.serve().finally(() => this.#connections.delete(connection));
      this.#connections.set(connection, served);
    }
  }
}

/** Undefined once the listener is closed. */
async function nextConnection(listener: Deno.TcpListener): Promise<Deno.TcpConn | undefined> {
  while (true) {
    try {
      return await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
        return undefined;
      }
      // A client that gave up while it was in the backlog.
      if (!(error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.ConnectionReset)) {
        throw error;
      }
    }
  }
}

class Connection {
  readonly #conn: Deno.TcpConn;
  readonly #options: HttpServerOptions;
  readonly #source: ByteSource;
  readonly #gone = new AbortController();
  #closed = false;

  constructor(conn: Deno.TcpConn, options: HttpServerOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#source = new ByteSource(conn);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    this.#gone.abort(new ConnectionLost("The connection was closed"));
  }

  async serve(): Promise<void> {
    try {
      while (await this.#serveOne()) continue;
    } catch (error) {
      if (!isConnectionEnd(error)) this.#options.onError(error);
    } finally {
      this.close();
    }
  }

  /** False when the connection must not be used for another request. */
  async #serveOne(): Promise<boolean> {
    const head = await readHead(this.#source);
    if (head === undefined) return false;
    const body = new SourceBody(this.#source, head, { beforeFirstByte: () => this.#invite(head) });
    const request = new WatchedRequest(head, body, () => this.#watch());
    const answer = await this.#options.handler(request);
    if (answer === noAnswer || this.#closed) return false;
    const reusable = head.keepAlive && body.consumed;
    await this.#send(answer, { head, reusable });
    if (!body.consumed) await this.#linger(head);
    return reusable;
  }

  /** Reads ahead while the handler works: only so is a client noticed that goes away. */
  #watch(): AbortSignal {
    this.#source.fill().then((more) => {
      if (!more) this.#gone.abort(new ConnectionLost("The client closed the connection"));
    }, () => this.#gone.abort(new ConnectionLost("The client reset the connection")));
    return this.#gone.signal;
  }

  async #invite(head: RequestHead): Promise<void> {
    if (head.headers.get("expect")?.toLowerCase() !== "100-continue") return;
    await this.#write(new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n"));
  }

  async #send(
    answer: HttpAnswer,
    { head, reusable }: { head: RequestHead; reusable: boolean },
  ): Promise<void> {
    const { body } = answer;
    const lengthBytes = body === undefined ? 0 : body instanceof Uint8Array ? body.length : body.lengthBytes;
    const text = headText(answer, { lengthBytes, reusable, dateMs: this.#options.dateMs() });
    const headBytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    if (head.method === "HEAD" || body === undefined) return await this.#write(headBytes);
    if (body instanceof Uint8Array) return await this.#write(concatenated(headBytes, body));
    await this.#write(headBytes);
    await this.#sendStream(body);
  }

  async #sendStream({ chunks, lengthBytes }: ByteStream): Promise<void> {
    let sentBytes = 0;
    for await (const chunk of chunks) {
      await this.#write(chunk);
      sentBytes += chunk.length;
    }
    if (sentBytes !== lengthBytes) throw new ConnectionLost("The answer ended early");
  }

  /** Lets the client read the refusal before the connection goes: closing with bytes unread would destroy it. */
  async #linger(head: RequestHead): Promise<void> {
    if (head.headers.has("expect")) return;
    await this.#conn.closeWrite();
    let leftBytes = 64 * 1024 * 1024;
    const scrap = new Uint8Array(64 * 1024);
    while (leftBytes > 0) leftBytes -= (await this.#source.readInto(scrap)).length;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }
}

/** Looks at the connection only when a handler asks for the signal, and the body has been read. */
class WatchedRequest implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: SourceBody;
  readonly #watch: () => AbortSignal;
  #signal: AbortSignal | undefined;

  constructor(head: RequestHead, body: SourceBody, watch: () => AbortSignal) {
    this.method = head.method;
    this.target = head.target;
    this.headers = head.headers;
    this.body = body;
    this.#watch = watch;
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#watch();
    return this.#signal;
  }
}

function headText(
  answer: HttpAnswer,
  { lengthBytes, reusable, dateMs }: { lengthBytes: number; reusable: boolean; dateMs: number },
): string {
  const lines = [
    `HTTP/1.1 ${answer.status} ${reasonPhrases[answer.status] ?? "Status"}`,
    `content-length: ${lengthBytes}`,
    `connection: ${reusable ? "keep-alive" : "close"}`,
  ];
  const headers = { date: new Date(dateMs).toUTCString(), ...answer.headers };
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return lines.join("\r\n") + "\r\n\r\n";
}

const reasonPhrases: Readonly<Record<number, string>> = {
  200: "OK",
  206: "Partial Content",
  303: "See Other",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  411: "Length Required",
  416: "Range Not Satisfiable",
  424: "Failed Dependency",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function isConnectionEnd(error: unknown): boolean {
  return [
    ConnectionLost,
    Deno.errors.BadResource,
    Deno.errors.BrokenPipe,
    Deno.errors.ConnectionReset,
    Deno.errors.ConnectionAborted,
    Deno.errors.Interrupted,
    Deno.errors.NotConnected,
    Deno.errors.UnexpectedEof,
  ].some((kind) => error instanceof kind);
}
