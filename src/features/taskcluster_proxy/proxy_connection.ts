/** One connection of a task's client: its requests, one after another, and their answers (spec 04 §7.2). */

import { errorText } from "../../base/error_text.ts";
import { BrokenMessage, ByteReader } from "./byte_reader.ts";
import { forward, type ForwardOptions, type UpstreamAnswer } from "./forward.ts";
import {
  type Fields,
  headBytes,
  passedOn,
  readRequestHead,
  type RequestHead,
  says,
  valuesOf,
} from "./message_head.ts";
import { BodyReader, requestFraming, writeAll, writeBody } from "./message_body.ts";
import { type OwnAnswer, ownAnswer } from "./own_endpoints.ts";
import { type ProxyBuild, proxyFields, withProxyFields } from "./proxy_fields.ts";
import { ClientGone, RequestBody } from "./request_body.ts";
import { UnusableCredentials } from "./signature.ts";
import { upstreamTarget } from "./upstream_target.ts";

export interface ProxyConnectionOptions extends ForwardOptions {
  readonly rootUrl: string;
  readonly build: ProxyBuild;
  /** For a request's head to arrive, milliseconds. */
  readonly headMs: number;
}

/** For a client to read an answer that came before it had sent everything. */
const lingerMs = 5_000;

export class ProxyConnection {
  readonly #conn: Deno.TcpConn;
  readonly #options: ProxyConnectionOptions;
  readonly #reader: ByteReader;
  readonly #gone = new AbortController();

  constructor(conn: Deno.TcpConn, options: ProxyConnectionOptions) {
    this.#conn = conn;
    this.#options = options;
    this.#reader = new ByteReader(conn);
  }

  /** Ends it at once, and whatever goes on for it. */
  close(): void {
    if (this.#gone.signal.aborted) return;
    this.#gone.abort(new ClientGone("The connection was closed"));
    this.#conn.close();
  }

  /** Never throws: what goes wrong with one client concerns nobody else. */
  async serve(): Promise<void> {
    try {
      while (await this.#serveOne()) continue;
    } catch {
      // The client is gone, or the service broke off: the client learns that by the missing end of the answer.
    } finally {
      this.close();
    }
  }

  /** False when the connection must not be used for another request. */
  async #serveOne(): Promise<boolean> {
    let head: RequestHead | undefined;
    let body: BodyReader;
    try {
      head = await this.#readHead();
      if (!head) return false;
      body = new BodyReader(this.#reader, requestFraming(head));
    } catch (error) {
      if (!(error instanceof BrokenMessage)) throw error;
      await this.#sendOwn({ status: error.status, text: error.message });
      await this.#linger();
      return false;
    }
    const persistent = head.modern && !says(head.fields, { name: "connection", word: "close" });
    if (body.framing.kind !== "none") await this.#invite(head);
    const reusable = await this.#answer(head, { body, persistent });
    if (!body.consumed) await this.#linger();
    return reusable;
  }

  async #readHead(): Promise<RequestHead | undefined> {
    const timer = setTimeout(() => void this.#endSlowHead(), this.#options.headMs);
    try {
      return await readRequestHead(this.#reader);
    } finally {
      clearTimeout(timer);
    }
  }

  async #endSlowHead(): Promise<void> {
    try {
      if (this.#reader.bufferedBytes > 0) {
        await this.#sendOwn({ status: 408, text: "The request did not arrive in time" });
      }
    } catch {
      // Gone already.
    } finally {
      this.close();
    }
  }

  async #invite(head: RequestHead): Promise<void> {
    const expects = valuesOf(head.fields, "expect").join().toLowerCase();
    if (expects === "100-continue") await writeAll(this.#conn, headBytes("HTTP/1.1 100 Continue", []));
  }

  /** Gives whether another request may follow. */
  async #answer(
    head: RequestHead,
    { body, persistent }: { body: BodyReader; persistent: boolean },
  ): Promise<boolean> {
    const { clock, clockSkewMs, signer, rootUrl } = this.#options;
    let own: OwnAnswer | undefined;
    let fields: Fields = [];
    try {
      fields = proxyFields(signer(), this.#options.build);
      own = await ownAnswer({ head, body }, { signer, nowMs: () => clock.nowMs() + clockSkewMs() });
      if (!own) {
        const target = upstreamTarget(head.target, rootUrl);
        if (target) {
          fields = [...fields, ["X-Taskcluster-Endpoint", target.url]];
          return await this.#relayFor(head, { body, persistent, fields, target });
        }
        own = { status: 404, text: `No service has the path ${head.target.slice(0, 200)}` };
      }
    } catch (error) {
      if (!(error instanceof UnusableCredentials)) throw error;
      own = { status: 500, text: error.message };
    }
    const reusable = persistent && body.consumed;
    await this.#sendOwn(own, { fields, reusable, method: head.method });
    return reusable;
  }

  async #relayFor(head: RequestHead, options: RelayOptions): Promise<boolean> {
    const { body, persistent, fields, target } = options;
    const kept = await RequestBody.of(body);
    if (body.consumed) this.#watch();
    let answer: UpstreamAnswer;
    try {
      answer = await forward({ head, body: kept, target, signal: this.#gone.signal }, this.#options);
    } catch (error) {
      if (error instanceof UnusableCredentials || error instanceof ClientGone) throw error;
      this.#gone.signal.throwIfAborted();
      const reusable = persistent && body.consumed;
      const text = `Cannot reach ${target.host}: ${errorText(error)}`;
      await this.#sendOwn({ status: 500, text }, { fields, reusable, method: head.method });
      return reusable;
    }
    try {
      return await this.#relay(answer, { ...options, head });
    } finally {
      answer.release();
    }
  }

  async #relay(answer: UpstreamAnswer, options: RelayOptions & { head: RequestHead }): Promise<boolean> {
    const { body, persistent, fields, head } = options;
    const { status, reason } = answer.head;
    const { kind } = answer.body.framing;
    const unknownLength = kind === "chunked" || kind === "until-close";
    const chunked = unknownLength && head.modern;
    const reusable = persistent && body.consumed && answer.sent && (chunked || !unknownLength);
    const opening = headBytes(`HTTP/1.1 ${status} ${reason}`, [
      ...withProxyFields(passedOn(answer.head.fields), fields),
      ...(chunked ? [["Transfer-Encoding", "chunked"]] as const : lengthFields(answer)),
      ["Connection", reusable ? "keep-alive" : "close"],
    ]);
    await writeAll(this.#conn, opening);
    await writeBody(this.#conn, { pieces: answer.body, chunked });
    return reusable;
  }

  /** Only by reading is a client noticed that goes away while it waits (weakness TP-4). */
  #watch(): void {
    if (this.#reader.bufferedBytes > 0) return;
    this.#reader.fill().then((more) => more || this.close(), () => this.close());
  }

  async #sendOwn(
    { status, text, fields: more = [] }: OwnAnswer,
    { fields = [], reusable = false, method = "GET" }: {
      fields?: Fields;
      reusable?: boolean;
      method?: string;
    } = {},
  ): Promise<void> {
    const body = new TextEncoder().encode(text);
    const type: Fields = text === "" ? [] : [["Content-Type", "text/plain; charset=utf-8"]];
    const opening = headBytes(`HTTP/1.1 ${status} ${reasonPhrases[status] ?? "Status"}`, [
      ...fields,
      ...more,
      ...type,
      ["Content-Length", String(body.length)],
      ["Date", new Date(this.#options.clock.nowMs()).toUTCString()],
      ["Connection", reusable ? "keep-alive" : "close"],
    ]);
    await writeAll(this.#conn, opening);
    if (method !== "HEAD") await writeAll(this.#conn, body);
  }

  /** Closing with bytes unread would take the answer from the client before it has read it. */
  async #linger(): Promise<void> {
    const timer = setTimeout(() => this.close(), lingerMs);
    try {
      await this.#conn.closeWrite();
      while (await this.#reader.take(Infinity)) continue;
    } finally {
      clearTimeout(timer);
    }
  }
}

interface RelayOptions {
  readonly body: BodyReader;
  readonly persistent: boolean;
  readonly fields: Fields;
  readonly target: NonNullable<ReturnType<typeof upstreamTarget>>;
}

/** Answers without a body (to HEAD) tell the length it would have. */
function lengthFields({ head, body }: UpstreamAnswer): Fields {
  if (body.framing.kind === "until-close" || head.status === 204) return [];
  return valuesOf(head.fields, "content-length").slice(0, 1).map((length) => ["Content-Length", length]);
}

const reasonPhrases: Readonly<Record<number, string>> = {
  200: "OK",
  303: "See Other",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
};
