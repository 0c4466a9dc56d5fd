/** Uploads through proxies, and when there is to be one. */

import assert from "node:assert/strict";
import { type Proxy, proxyFor } from "../../src/artifacts/proxy.ts";
import { StalledError } from "../../src/artifacts/put.ts";
import { putStream } from "../../src/artifacts/put_stream.ts";
import { localhostCertificate } from "./localhost_certificate.ts";
import { RelayingProxy } from "./relaying_proxy.ts";
import { accepted, ScriptedStore } from "./scripted_store.ts";

type Variables = Readonly<Record<string, string>>;

function proxyOf(target: string, variables: Variables): Proxy | undefined {
  return proxyFor(new URL(target), (name) => variables[name]);
}

const proxy = "http://proxy.example:3128";

const reached: readonly (readonly [target: string, variables: Variables, port: number | undefined])[] = [
  ["http://a.example/", {}, undefined],
  ["http://a.example/", { HTTP_PROXY: proxy }, 3128],
  ["http://a.example/", { http_proxy: proxy }, 3128],
  ["http://a.example/", { HTTP_PROXY: "" }, undefined],
  ["http://a.example/", { HTTP_PROXY: "proxy.example:3128" }, 3128],
  ["http://a.example/", { HTTP_PROXY: "http://proxy.example" }, 80],
  ["http://a.example/", { HTTP_PROXY: "https://proxy.example" }, 443],
  ["http://a.example/", { HTTP_PROXY: proxy, http_proxy: "http://other.example:1" }, 3128],
  ["http://a.example/", { ALL_PROXY: proxy, HTTP_PROXY: "http://other.example:1" }, 3128],
  ["http://a.example/", { HTTPS_PROXY: proxy }, undefined],
  ["https://a.example/", { HTTPS_PROXY: proxy }, 3128],
  ["https://a.example/", { HTTP_PROXY: proxy }, undefined],
  ["https://a.example/", { all_proxy: proxy }, 3128],
  ["http://a.example/", { HTTP_PROXY: proxy, REQUEST_METHOD: "GET" }, undefined],
  ["http://a.example/", { HTTP_PROXY: proxy, NO_PROXY: "*" }, undefined],
  ["http://a.example/", { HTTP_PROXY: proxy, NO_PROXY: "b.example, A.example" }, undefined],
  ["http://a.example/", { HTTP_PROXY: proxy, no_proxy: "example" }, undefined],
  ["http://a.example/", { HTTP_PROXY: proxy, NO_PROXY: ".a.example" }, undefined],
  ["http://ba.example/", { HTTP_PROXY: proxy, NO_PROXY: "a.example" }, 3128],
  ["http://a.example/", { HTTP_PROXY: proxy, NO_PROXY: "x", no_proxy: "a.example" }, 3128],
  ["http://10.1.2.3:8080/", { HTTP_PROXY: proxy, NO_PROXY: "10.1.2.3" }, undefined],
  ["http://10.1.2.3/", { HTTP_PROXY: proxy, NO_PROXY: "10.0.0.0/8" }, undefined],
  ["http://11.1.2.3/", { HTTP_PROXY: proxy, NO_PROXY: "10.0.0.0/8,::1,10.0.0.0/99,11/8" }, 3128],
  ["http://[::1]/", { HTTP_PROXY: proxy, NO_PROXY: "::1" }, undefined],
  ["http://[fd00::5]/", { HTTP_PROXY: proxy, NO_PROXY: "fd00::/8" }, undefined],
];

for (const [target, variables, port] of reached) {
  Deno.test(`proxyFor() of ${target} with ${JSON.stringify(variables)} is ${port ?? "none"}`, () => {
    assert.equal(proxyOf(target, variables)?.port, port);
  });
}

Deno.test("proxyFor() refuses proxies it can't use, without repeating their passwords", () => {
  for (const address of ["socks5://user:hush@proxy.example", "http://user:hush@[proxy"]) {
    assert.throws(() => proxyOf("http://a.example/", { ALL_PROXY: address }), (error) => {
      assert.ok(error instanceof Error);
      return /^Cannot (use|upload)/.test(error.message) && !error.message.includes("hush");
    });
  }
});

const never = new AbortController().signal;

function body(text: string) {
  const pieces = [new TextEncoder().encode(text)];
  return { lengthBytes: text.length, read: () => Promise.resolve(pieces.shift()) };
}

const options = { headers: { "Content-Type": "text/plain" }, signal: never, stallMs: 60_000 };

/** The store's address by a name that only the proxy can resolve. */
function elsewhere(store: ScriptedStore): string {
  return store.url.replace("127.0.0.1", "store.invalid");
}

Deno.test("putStream() sends a request to an http address through the proxy, with the whole address", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  await using relay = new RelayingProxy({ kind: "relay", to: store.url });
  const readVariable = relay.variables("HTTP_PROXY", "user:p%40ss@");
  const url = elsewhere(store);
  const answer = await putStream(url, { ...options, ...body("hello"), readVariable });
  assert.equal(answer.status, 200);
  const { port } = new URL(store.url);
  assert.ok(
    relay.seen[0]!.startsWith(`PUT ${url} HTTP/1.1\r\nHost: store.invalid:${port}\r\n`),
    relay.seen[0],
  );
  assert.ok(relay.seen[0]!.includes(`\r\nProxy-Authorization: Basic ${btoa("user:p@ss")}\r\n`));
  assert.equal(new TextDecoder().decode(store.seen[0]!.body), "hello");
});

Deno.test("putStream() reaches an https address through a tunnel, and the proxy sees nothing of the request", async () => {
  await using store = new ScriptedStore([{ answer: accepted }], { tls: true });
  await using relay = new RelayingProxy({ kind: "relay", to: store.url });
  const answer = await putStream(store.url, {
    ...options,
    ...body("secret"),
    caCerts: [localhostCertificate],
    readVariable: relay.variables("HTTPS_PROXY", "user:pass@"),
  });
  assert.equal(answer.status, 200);
  const { host } = new URL(store.url);
  assert.equal(
    relay.seen[0],
    `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: Basic ${btoa("user:pass")}\r\n\r\n`,
  );
  const { head, body: received } = store.seen[0]!;
  assert.match(head, /^PUT \/bucket\/key%20name\?signature=secret HTTP\/1\.1\r\n/);
  assert.ok(!/proxy-authorization/i.test(head), "the store is not told the proxy's password");
  assert.equal(new TextDecoder().decode(received), "secret");
});

Deno.test("putStream() checks the certificate of the store behind a tunnel", async () => {
  await using store = new ScriptedStore([{ answer: accepted }], { tls: true });
  await using relay = new RelayingProxy({ kind: "relay", to: store.url });
  const readVariable = relay.variables("HTTPS_PROXY");
  await assert.rejects(putStream(store.url, { ...options, ...body("secret"), readVariable }), /certificate/i);
  assert.deepEqual(store.seen, []);
});

Deno.test("putStream() says what the proxy answered when it refuses", async () => {
  await using relay = new RelayingProxy({
    kind: "refuse",
    answer: "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
  });
  await assert.rejects(
    putStream("https://store.invalid/x", {
      ...options,
      ...body("x"),
      readVariable: relay.variables("HTTPS_PROXY"),
    }),
    { message: `the proxy 127.0.0.1:${relay.port} refused to connect: 407 Proxy Authentication Required` },
  );
});

Deno.test("putStream() gives up on a proxy that never answers", async () => {
  await using relay = new RelayingProxy({ kind: "silent" });
  const request = { ...options, ...body("x"), stallMs: 50, readVariable: relay.variables("HTTPS_PROXY") };
  await assert.rejects(putStream("https://store.invalid/x", request), StalledError);
});

Deno.test("putStream() ends at once when aborted while the proxy says nothing", async () => {
  await using relay = new RelayingProxy({ kind: "silent" });
  const abort = new AbortController();
  const readVariable = relay.variables("HTTPS_PROXY");
  const request = { ...options, ...body("x"), signal: abort.signal, readVariable };
  const put = putStream("https://store.invalid/x", request);
  await relay.asked;
  abort.abort(new Error("enough"));
  await assert.rejects(put, /enough/);
});
