import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import http from "node:http";
import { Cluster } from "./cluster.ts";

const minuteMs = 60_000;
const key = { bucket: "public-artifacts", key: "task/0/public/some file" };

interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request with exactly these headers: `fetch` would choose its own. */
function send(
  url: string,
  options: { method: string; headers?: Record<string, string>; body?: string },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { method, headers = {}, body } = options;
    const request = http.request(
      url,
      { method, headers: { connection: "close", ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => text += part);
        response.on(
          "end",
          () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

function putUrl(cluster: Cluster, options: { contentType?: string; contentLength?: number } = {}): string {
  const expiresMs = cluster.clock.nowMs() + 45 * minuteMs;
  return cluster.tc.services.store.putUrl(key, { contentType: "text/plain", ...options, expiresMs });
}

const plain = { "content-type": "text/plain", "content-length": "5" };

Deno.test("the store keeps content, type and encoding of an upload", async () => {
  await using cluster = await Cluster.start();
  const headers = { ...plain, "content-encoding": "gzip" };
  const answer = await send(putUrl(cluster), { method: "PUT", headers, body: "bytes" });
  assert.equal(answer.status, 200);
  const url = cluster.tc.services.store.publicUrl(key);
  const got = await send(url, { method: "GET" });
  assert.deepEqual([got.status, got.text], [200, "bytes"]);
  assert.equal(got.headers["content-type"], "text/plain");
  assert.equal(got.headers["content-encoding"], "gzip");
  assert.equal(got.headers["etag"], answer.headers["etag"]);
  const head = await send(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.text], [200, "5", ""]);
});

Deno.test("W-59: the store takes an empty body with its length, and refuses one sent in chunks", async () => {
  await using cluster = await Cluster.start();
  const headers = { "content-type": "text/plain" };
  const counted = await send(putUrl(cluster), {
    method: "PUT",
    headers: { ...headers, "content-length": "0" },
  });
  assert.equal(counted.status, 200);
  const chunked = await send(putUrl(cluster), {
    method: "PUT",
    headers: { ...headers, "transfer-encoding": "chunked" },
    body: "bytes",
  });
  assert.equal(chunked.status, 411);
  assert.match(chunked.text, /<Code>MissingContentLength<\/Code>/);
  assert.equal(chunked.headers["content-type"], "application/xml");
});

Deno.test("the store refuses uploads that differ from what was signed", async () => {
  await using cluster = await Cluster.start();
  const url = putUrl(cluster);
  const cases: [string, string, string, Record<string, string>][] = [
    ["another type", url, "PUT", { ...plain, "content-type": "text/html" }],
    ["another signature", url.replace(/Signature=../, "Signature=zz"), "PUT", plain],
    ["another name", url.replace("some%20file", "other"), "PUT", plain],
    ["a longer validity", url.replace("Expires=2700", "Expires=9999"), "PUT", plain],
    ["another length", putUrl(cluster, { contentLength: 4 }), "PUT", plain],
  ];
  for (const [what, target, method, headers] of cases) {
    const { status, text } = await send(target, { method, headers, body: "bytes" });
    assert.equal(status, 403, what);
    assert.match(text, /<Code>SignatureDoesNotMatch<\/Code>/, what);
  }
  assert.equal(cluster.tc.services.store.find(key), undefined);
});

Deno.test("the store refuses a URL to upload to as a URL to download from", async () => {
  await using cluster = await Cluster.start();
  await send(putUrl(cluster), { method: "PUT", headers: plain, body: "bytes" });
  assert.equal((await send(putUrl(cluster), { method: "GET" })).status, 403);
});

Deno.test("the store refuses a URL after its time, like S3", async () => {
  await using cluster = await Cluster.start();
  const url = putUrl(cluster);
  await cluster.clock.advance(45 * minuteMs + 1);
  const { status, text } = await send(url, { method: "PUT", headers: plain, body: "bytes" });
  assert.equal(status, 403);
  assert.match(text, /<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>/);
});

Deno.test("the store refuses unsigned uploads", async () => {
  await using cluster = await Cluster.start();
  const url = putUrl(cluster).replace(/\?.*/, "");
  const { status, text } = await send(url, { method: "PUT", headers: plain, body: "bytes" });
  assert.equal(status, 403);
  assert.match(text, /AccessDenied/);
});

Deno.test("the store checks Content-MD5 when it is sent", async () => {
  await using cluster = await Cluster.start();
  const right = { ...plain, "content-md5": createHash("md5").update("bytes").digest("base64") };
  const wrong = { ...plain, "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" };
  const put = (headers: Record<string, string>) =>
    send(putUrl(cluster), { method: "PUT", headers, body: "bytes" });
  assert.match((await put(wrong)).text, /BadDigest/);
  assert.equal((await put(right)).status, 200);
});

const ranges: [string, number, string, string | undefined][] = [
  ["bytes=0-1", 206, "by", "bytes 0-1/5"],
  ["bytes=3-", 206, "es", "bytes 3-4/5"],
  ["bytes=-2", 206, "es", "bytes 3-4/5"],
  ["bytes=1-100", 206, "ytes", "bytes 1-4/5"],
  ["lines=1-2", 200, "bytes", undefined],
];
for (const [range, status, text, contentRange] of ranges) {
  Deno.test(`the store answers the range ${range} with ${status} ${text}`, async () => {
    await using cluster = await Cluster.start();
    await send(putUrl(cluster), { method: "PUT", headers: plain, body: "bytes" });
    const url = cluster.tc.services.store.publicUrl(key);
    const answer = await send(url, { method: "GET", headers: { range } });
    assert.deepEqual([answer.status, answer.text, answer.headers["content-range"]], [
      status,
      text,
      contentRange,
    ]);
  });
}

Deno.test("the store answers a range beyond the end with 416, and unknown names with 404", async () => {
  await using cluster = await Cluster.start();
  await send(putUrl(cluster), { method: "PUT", headers: plain, body: "bytes" });
  const { store } = cluster.tc.services;
  const beyond = await send(store.publicUrl(key), { method: "GET", headers: { range: "bytes=5-" } });
  assert.equal(beyond.status, 416);
  const unknown = await send(store.publicUrl({ ...key, key: "other" }), { method: "GET" });
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /NoSuchKey/);
});

Deno.test("an upload that breaks off leaves the content before it, and no file of its own", async () => {
  const directory = await Deno.makeTempDir();
  {
    await using cluster = await Cluster.start({ directory });
    await send(putUrl(cluster), { method: "PUT", headers: plain, body: "bytes" });
    const conn = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(new URL(cluster.tc.rootUrl).port),
    });
    const { pathname, search } = new URL(putUrl(cluster));
    const head =
      `PUT ${pathname}${search} HTTP/1.1\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nhalf`;
    await conn.write(new TextEncoder().encode(head));
    const [, arrived] = await Promise.all([conn.closeWrite(), conn.read(new Uint8Array(10))]);
    assert.equal(arrived, null);
    conn.close();
    assert.equal((await send(cluster.tc.services.store.publicUrl(key), { method: "GET" })).text, "bytes");
  }
  const files = [...Deno.readDirSync(directory)].map(({ name }) => name);
  await Deno.remove(directory, { recursive: true });
  assert.equal(files.length, 1, files.join());
});

Deno.test("the store streams: 200 MB pass through without staying in memory", async () => {
  await using cluster = await Cluster.start();
  const sizeBytes = 200 * 1024 * 1024;
  const chunk = new Uint8Array(1024 * 1024);
  const beforeBytes = Deno.memoryUsage().rss;
  const url = new URL(putUrl(cluster));
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(url.port) });
  const head = `PUT ${url.pathname}${url.search} HTTP/1.1\r\ncontent-type: text/plain\r\n` +
    `content-length: ${sizeBytes}\r\nconnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(head));
  for (let i = 0; i < 200; i++) {
    for (let sent = 0; sent < chunk.length;) sent += await conn.write(chunk.subarray(sent));
  }
  const buffer = new Uint8Array(1000);
  const count = await conn.read(buffer);
  conn.close();
  assert.match(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), /^HTTP\/1\.1 200 /);
  assert.equal(cluster.tc.services.store.find(key)?.lengthBytes, sizeBytes);
  const grownBytes = Deno.memoryUsage().rss - beforeBytes;
  assert.ok(grownBytes < 100 * 1024 * 1024, `memory grew by ${grownBytes} bytes`);
});
