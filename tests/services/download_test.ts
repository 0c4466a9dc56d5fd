/** Downloads over lines that break, stall and lie. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { download, type DownloadOptions } from "../../src/services/download.ts";
import { DownloadError } from "../../src/services/download_error.ts";
import { HastyClock } from "../support/hasty_clock.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { answerHead, ScriptedServer } from "./scripted_server.ts";

const content = Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7919) >> 3);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const whole = { "content-length": content.length, "etag": '"v1"', "accept-ranges": "bytes" };

/** Downloads `url` and gives what was written and what was told. */
async function fetched(url: string, more: Partial<DownloadOptions> = {}) {
  using directory = new TemporaryDirectory();
  const path = directory.at("file");
  const retries: string[] = [];
  const clock = new HastyClock();
  const options = {
    path,
    clock,
    locate: () => url,
    onRetry: (error: Error) => void retries.push(error.message),
  };
  const downloaded = await download({ ...options, ...more });
  return { downloaded, retries, clock, bytes: await Deno.readFile(path) };
}

function rangeStart(headers: Headers): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.get("range") ?? "")?.[1] ?? 0);
}

/** The rest of the content from where the request wants it. */
function rest(headers: Headers): readonly [string, Uint8Array] {
  const start = rangeStart(headers);
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  return [
    answerHead("206 Partial Content", {
      ...whole,
      "content-length": content.length - start,
      "content-range": range,
    }),
    content.subarray(start),
  ];
}

Deno.test("download() writes what comes, and says how much it was and its hashes", async () => {
  await using server = new ScriptedServer(() => [answerHead("200 OK", whole), content]);
  const { downloaded, bytes, retries } = await fetched(server.url, { algorithms: ["sha256", "sha512"] });
  assert.deepEqual(bytes, content);
  assert.equal(downloaded.sizeBytes, content.length);
  assert.equal(downloaded.hashes.sha256, sha256(content));
  assert.equal(downloaded.hashes.sha512, createHash("sha512").update(content).digest("hex"));
  assert.deepEqual(retries, []);
});

Deno.test("download() goes on where the connection broke, and sends nothing twice", async () => {
  await using server = new ScriptedServer(({ number, headers }) =>
    number === 1 ? [answerHead("200 OK", whole), content.subarray(0, 70_000)] : rest(headers)
  );
  const { downloaded, bytes, retries } = await fetched(server.url);
  assert.deepEqual(bytes, content);
  assert.equal(downloaded.hashes.sha256, sha256(content));
  assert.equal(retries.length, 1);
  const [, second] = server.requests;
  assert.ok(rangeStart(second!.headers) > 0, "the second request asks for the rest");
  assert.equal(second!.headers.get("if-range"), '"v1"');
});

Deno.test("download() starts again when the content has changed since the connection broke", async () => {
  const changed = content.toReversed();
  await using server = new ScriptedServer(({ number, headers }) => {
    if (number === 1) return [answerHead("200 OK", whole), content.subarray(0, 70_000)];
    const head = answerHead("200 OK", { ...whole, etag: '"v2"' });
    // A store that does not heed If-Range sends a part of the new version.
    if (!headers.has("range")) return [head, changed];
    const start = rangeStart(headers);
    const range = `bytes ${start}-${content.length - 1}/${content.length}`;
    const part = {
      ...whole,
      "etag": '"v2"',
      "content-length": content.length - start,
      "content-range": range,
    };
    return [answerHead("206 Partial Content", part), changed.subarray(start)];
  });
  const { downloaded, bytes } = await fetched(server.url);
  assert.deepEqual(bytes, changed);
  assert.equal(downloaded.hashes.sha256, sha256(changed));
});

Deno.test("download() starts again where the server can't say which version it sends", async () => {
  await using server = new ScriptedServer(({ number }) => {
    const head = answerHead("200 OK", { "content-length": content.length, "etag": 'W/"v1"' });
    return [head, number === 1 ? content.subarray(0, 70_000) : content];
  });
  const { bytes } = await fetched(server.url);
  assert.deepEqual(bytes, content);
  assert.ok(server.requests.every(({ headers }) => !headers.has("range")));
});

Deno.test("download() decodes a gzip content encoding, also after a broken attempt", async () => {
  const encoded = new Uint8Array(gzipSync(content));
  await using server = new ScriptedServer(({ number }) => {
    const head = answerHead("200 OK", {
      ...whole,
      "content-encoding": "gzip",
      "content-length": encoded.length,
    });
    return [head, number === 1 ? encoded.subarray(0, encoded.length / 2) : encoded];
  });
  const { downloaded, bytes } = await fetched(server.url);
  assert.deepEqual(bytes, content);
  assert.equal(downloaded.hashes.sha256, sha256(content));
});

Deno.test("download() leaves nothing of the body of a 5xx answer in the file (W-22)", async () => {
  await using server = new ScriptedServer(({ number }) =>
    number < 3
      ? [answerHead("503 Service Unavailable", { "content-length": 9_000 }), "x".repeat(9_000)]
      : [answerHead("200 OK", { "content-length": 5 }), "short"]
  );
  const { bytes, retries } = await fetched(server.url);
  assert.equal(new TextDecoder().decode(bytes), "short");
  assert.deepEqual(retries, ["HTTP 503 Service Unavailable", "HTTP 503 Service Unavailable"]);
});

Deno.test("download() gives up at once on 4xx, and after 15 minutes on 5xx", async () => {
  await using server = new ScriptedServer((
    { path },
  ) => [answerHead(`${path.slice(1)} Whatever`, { "content-length": 0 })]);
  await assert.rejects(fetched(`${server.url}/404`), { message: "HTTP 404 Not Found", temporary: false });
  assert.equal(server.requests.length, 1);
  const clock = new HastyClock();
  await assert.rejects(fetched(`${server.url}/500`, { clock, random: () => 0.5 }), {
    message: "HTTP 500 Internal Server Error",
  });
  assert.ok(clock.sleptMs > 13 * 60_000 && clock.sleptMs < 15 * 60_000, `${clock.sleptMs}`);
});

Deno.test("W-47: download() refuses at once what is no http URL", async () => {
  for (const url of ["file:///etc/passwd", "data:,x", "ftp://127.0.0.1/x", "no url", ""]) {
    await assert.rejects(fetched(url), (error: Error) => {
      assert.ok(error instanceof DownloadError && !error.temporary, String(error));
      assert.match(error.message, /^Cannot download from it/);
      return true;
    });
  }
});

Deno.test("W-47: download() does not wait long for a host that nobody knows", async () => {
  const clock = new HastyClock();
  await assert.rejects(fetched("http://no-such-host.invalid/", { clock }), { temporary: true });
  assert.ok(clock.sleptMs < 40_000, `${clock.sleptMs}`);
});

Deno.test("W-47: download() gives up an attempt in which nothing moves, and goes on with the next", async () => {
  const stuck = Promise.withResolvers<void>();
  await using server = new ScriptedServer(({ number, headers }) => {
    if (number === 1) return [answerHead("200 OK", whole), content.subarray(0, 70_000), stuck.promise];
    return rest(headers);
  });
  try {
    const { bytes, retries } = await fetched(server.url, { stallTimeoutMs: 100 });
    assert.deepEqual(bytes, content);
    assert.deepEqual(retries, ["nothing came in for 0 s"]);
  } finally {
    stuck.resolve();
  }
});

Deno.test("download() ends with the signal's reason in the middle of a body", async () => {
  const abort = new AbortController();
  const stuck = Promise.withResolvers<void>();
  await using server = new ScriptedServer(() => [
    answerHead("200 OK", whole),
    content.subarray(0, 70_000),
    stuck.promise,
  ]);
  try {
    const reason = new Error("the task was cancelled");
    const onProgress = () => abort.abort(reason);
    await assert.rejects(fetched(server.url, { signal: abort.signal, onProgress }), reason);
    assert.equal(server.requests.length, 1);
  } finally {
    stuck.resolve();
  }
});

Deno.test("download() does not try again when the file can't be written", async () => {
  await using server = new ScriptedServer(() => [answerHead("200 OK", whole), content]);
  await assert.rejects(fetched(server.url, { path: "/dev/full" }), { stage: "file", temporary: false });
  assert.equal(server.requests.length, 1);
  await assert.rejects(
    fetched(server.url, { path: "/no/such/directory/x" }),
    /^DownloadError: Could not open file/,
  );
});

Deno.test("download() says nothing of the query of the address in its errors", async () => {
  await using server = new ScriptedServer(() => [""]);
  await assert.rejects(
    fetched(`${server.url}/x?X-Amz-Signature=geheim`, { retryForMs: 0 }),
    (error: Error) => {
      assert.ok(!error.message.includes("geheim"), error.message);
      return true;
    },
  );
});

Deno.test("download() asks for the address again before each attempt", async () => {
  await using server = new ScriptedServer(({ path }) =>
    path === "/3"
      ? [answerHead("200 OK", { "content-length": 2 }), "ok"]
      : [answerHead("500 No", { "content-length": 0 })]
  );
  const { bytes } = await fetched("", { locate: (attempt) => `${server.url}/${attempt}` });
  assert.equal(bytes.length, 2);
});

Deno.test("download() gets the content right wherever and however often the connection breaks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: content.length }), { maxLength: 6 }),
      async (breaks) => {
        await using server = new ScriptedServer(({ number, headers }) => {
          const cut = breaks[number - 1] ?? content.length;
          const [head, bytes] = headers.has("range") ? rest(headers) : [answerHead("200 OK", whole), content];
          return [head, bytes.subarray(0, cut)];
        });
        const { downloaded, bytes } = await fetched(server.url);
        assert.deepEqual(bytes, content);
        assert.equal(downloaded.hashes.sha256, sha256(content));
      },
    ),
    { numRuns: 25 },
  );
});
