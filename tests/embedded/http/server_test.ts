import { strict as assert } from "node:assert";
import {
  type HttpHandler,
  type HttpRequest,
  noAnswer,
  readBody,
} from "../../../src/embedded/http/message.ts";
import { HttpServer } from "../../../src/embedded/http/server.ts";

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const dateMs = Date.UTC(2030, 0, 1);

/** A server, and a client that sends bytes as they are. */
class Bench implements AsyncDisposable {
  readonly errors: unknown[] = [];
  readonly server: HttpServer;
  readonly #conns: Deno.Conn[] = [];

  constructor(handler: HttpHandler) {
    this.server = new HttpServer({
      port: 0,
      handler,
      dateMs: () => dateMs,
      onError: (error) => this.errors.push(error),
    });
  }

  async connect(): Promise<RawClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.server.port });
    this.#conns.push(conn);
    return new RawClient(conn);
  }

  /** What the server sends to one connection until it closes it. */
  async exchange(text: string): Promise<string> {
    const client = await this.connect();
    await client.send(text);
    return await client.rest();
  }

  hangUp(): void {
    for (const conn of this.#conns) conn.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    this.hangUp();
    assert.deepEqual(this.errors, []);
  }
}

class RawClient {
  readonly #conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  async hear(): Promise<string> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await this.#conn.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  }

  async rest(): Promise<string> {
    let text = "";
    try {
      for (let heard = await this.hear(); heard !== ""; heard = await this.hear()) text += heard;
    } catch (error) {
      assert.ok(error instanceof Deno.errors.ConnectionReset);
    }
    return text;
  }
}

/** Answers with what it was asked. */
const echo: HttpHandler = async (request: HttpRequest) => {
  const body = await readBody(request.body, 1000) ?? bytesOf("too long");
  return { status: 200, headers: { "x-path": request.target }, body };
};

Deno.test("HttpServer answers request after request on one connection, with the date of its clock", async () => {
  await using bench = new Bench(echo);
  const text = await bench.exchange(
    "POST /one HTTP/1.1\r\ncontent-length: 5\r\n\r\nfirst" +
      "GET /two HTTP/1.1\r\n\r\n" +
      "POST /three HTTP/1.1\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlast",
  );
  const answer = (path: string, body: string, connection = "keep-alive") =>
    "HTTP/1.1 200 OK\r\n" +
    `content-length: ${body.length}\r\nconnection: ${connection}\r\n` +
    `date: Tue, 01 Jan 2030 00:00:00 GMT\r\nx-path: ${path}\r\n\r\n${body}`;
  assert.equal(text, answer("/one", "first") + answer("/two", "") + answer("/three", "last", "close"));
});

Deno.test("HttpServer decodes chunked bodies, extensions and trailers included", async () => {
  await using bench = new Bench(echo);
  const text = await bench.exchange(
    "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n" +
      "4\r\nWiki\r\nB;name=value\r\npedia in \r\n\r\n0\r\nx-trailer: 1\r\n\r\n",
  );
  assert.match(text, /\r\n\r\nWikipedia in \r\n$/);
});

Deno.test("HttpServer takes a request in pieces of any size", async () => {
  await using bench = new Bench(echo);
  const client = await bench.connect();
  const request = "POST /p HTTP/1.1\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc";
  for (const char of request) await client.send(char);
  assert.match(await client.rest(), /x-path: \/p\r\n\r\nabc$/);
});

Deno.test("HttpServer invites bodies that wait for it, and only when the handler wants them", async () => {
  await using bench = new Bench(async (request) =>
    request.target === "/no" ? { status: 403 } : await echo(request)
  );
  const client = await bench.connect();
  await client.send(
    "PUT /yes HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n",
  );
  assert.equal(await client.hear(), "HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("ok");
  assert.match(await client.rest(), /\r\n\r\nok$/);
  const refused = await bench.exchange(
    "PUT /no HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
  );
  assert.match(refused, /^HTTP\/1\.1 403 Forbidden\r\n/);
});

Deno.test("HttpServer lets a client read a refusal although its body was not wanted", async () => {
  await using bench = new Bench(() => Promise.resolve({ status: 411 }));
  const body = "x".repeat(20_000_000);
  const client = await bench.connect();
  const sending = client.send(`PUT / HTTP/1.1\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  assert.match(await client.rest(), /^HTTP\/1\.1 411 Length Required\r\n/);
  await sending;
});

Deno.test("HttpServer sends no body in answer to HEAD, but its length", async () => {
  await using bench = new Bench(() => Promise.resolve({ status: 200, body: bytesOf("12345") }));
  const text = await bench.exchange("HEAD / HTTP/1.1\r\nconnection: close\r\n\r\n");
  assert.match(text, /content-length: 5\r\n/);
  assert.ok(text.endsWith("\r\n\r\n"));
});

Deno.test("HttpServer closes the connection without a byte when the handler gives no answer", async () => {
  await using bench = new Bench(() => Promise.resolve(noAnswer));
  assert.equal(await bench.exchange("GET / HTTP/1.1\r\n\r\n"), "");
});

Deno.test("HttpServer cuts the connection when a stream ends before its length", async () => {
  async function* chunks() {
    yield bytesOf("half");
  }
  await using bench = new Bench(() =>
    Promise.resolve({ status: 200, body: { lengthBytes: 8, chunks: chunks() } })
  );
  const text = await bench.exchange("GET / HTTP/1.1\r\n\r\n");
  assert.match(text, /content-length: 8\r\n[^]*\r\n\r\nhalf$/);
  const response = await fetch(`http://127.0.0.1:${bench.server.port}/`);
  await assert.rejects(response.text());
});

Deno.test("HttpServer aborts the signal of a request whose client goes away", async () => {
  const waiting = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  await using bench = new Bench(async (request) => {
    const { signal } = request;
    waiting.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    gone.resolve();
    return { status: 200 };
  });
  const leaving = new AbortController();
  const request = fetch(`http://127.0.0.1:${bench.server.port}/`, { signal: leaving.signal });
  await waiting.promise;
  leaving.abort();
  await assert.rejects(request);
  await gone.promise;
});

Deno.test("HttpServer.stop ends requests that are still waiting", async () => {
  const waiting = Promise.withResolvers<void>();
  const bench = new Bench(async ({ signal }) => {
    waiting.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return { status: 200 };
  });
  const answer = bench.exchange("GET / HTTP/1.1\r\n\r\n");
  await waiting.promise;
  await bench.server.stop();
  assert.equal(await answer, "");
  bench.hangUp();
});

const nonsense = [
  "hello\r\n\r\n",
  "GET / HTTP/2.0\r\n\r\n",
  "GET / HTTP/1.1\r\nno colon\r\n\r\n",
  "POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n",
  "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  `GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`,
];
for (const text of nonsense) {
  Deno.test(`HttpServer closes the connection on ${JSON.stringify(text.slice(0, 60))}`, async () => {
    await using bench = new Bench(echo);
    assert.equal(await bench.exchange(text), "");
  });
}

Deno.test("HttpServer reports what a handler throws, and goes on serving others", async () => {
  const bench = new Bench((request) => {
    if (request.target === "/bad") throw new TypeError("a mistake");
    return echo(request);
  });
  assert.equal(await bench.exchange("GET /bad HTTP/1.1\r\n\r\n"), "");
  assert.match(await bench.exchange("GET /good HTTP/1.1\r\nconnection: close\r\n\r\n"), /x-path: \/good/);
  assert.deepEqual(bench.errors.splice(0).map(String), ["TypeError: a mistake"]);
  await bench[Symbol.asyncDispose]();
});
