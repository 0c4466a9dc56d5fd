/** Readers of a live log: the checklist of spec 04 §9.6, the weaknesses LL and LF that belong to the server. */

import assert from "node:assert/strict";
import { FakeClock } from "../support/fake_clock.ts";
import { isWhole, RawReader, type ServedTestLog, withServedLog } from "./live_log_reading.ts";

const { MAX_SAFE_INTEGER } = Number;

/** A header's value in an answer as text. */
function header(answer: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, "m").exec(answer.slice(0, answer.indexOf("\r\n\r\n") + 2))?.[1];
}

function status(answer: string): number {
  return Number(answer.slice("HTTP/1.1 ".length).slice(0, 3));
}

/** Sends a request and gives the whole answer as text. */
async function exchange({ port }: ServedTestLog, request: readonly string[]): Promise<string> {
  const reader = await RawReader.open(port);
  await reader.send([...request, "", ""].join("\r\n"));
  const answer = await reader.toEnd();
  reader.close();
  return answer;
}

/** Reads on until `text` has arrived. */
async function seen(response: Response, text: string): Promise<void> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  for (let got = ""; !got.includes(text);) {
    const { value, done } = await reader.read();
    assert.ok(!done, `ended before ${text}`);
    got += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
}

Deno.test("a live log is the same for readers before, while and after it is written", async () => {
  await withServedLog(async ({ log, url, print }) => {
    const before = await fetch(url);
    const beforeText = before.text();
    print("one\n");
    const whileWritten = await fetch(url);
    const whileText = whileWritten.text();
    // No UTF-8: bytes are passed on as they are.
    log.write(new Uint8Array([0xff, 0x00, 0xfe, 0x0a]));
    const bytes = fetch(url).then((response) => response.bytes());
    log.write(new Uint8Array(0));
    print("two\n");
    // A reader that asks for all there is now, so that the one before has certainly been accepted.
    await seen(await fetch(url), "two");
    log.close();
    assert.equal(await beforeText, "one\n\ufffd\0\ufffd\ntwo\n");
    assert.equal(await whileText, await beforeText);
    assert.deepEqual(await bytes, Deno.readFileSync(log.path));
    for (const response of [before, whileWritten]) {
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(response.headers.get("access-control-allow-origin"), "*");
      assert.equal(response.headers.get("access-control-expose-headers"), "Transfer-Encoding");
      assert.equal(response.headers.get("transfer-encoding"), "chunked");
      assert.equal(response.headers.get("content-encoding"), null);
    }
  });
});

Deno.test("a reader that asks after the end, while others still read, gets the whole log with its length", async () => {
  await withServedLog(async (served) => {
    const { log, port, path, print, server } = served;
    print("x".repeat(20_000_000));
    const slow = await RawReader.get(port, path);
    await slow.until("\r\n\r\n");
    log.close();
    const late = await exchange(served, [`GET ${path} HTTP/1.1`]);
    assert.equal(header(late, "Content-Length"), "20000000");
    assert.ok(late.endsWith("x".repeat(100)));
    assert.ok(isWhole(await slow.toEnd()));
    slow.close();
    await server.finished;
  });
});

Deno.test("only the exact token opens a live log, and refusals can be read by any web page", async () => {
  await withServedLog(async (served) => {
    const { path, print } = served;
    print("secret\n");
    const refused = [
      "/log/",
      "/log/x",
      `${path}x`,
      path.slice(0, -1),
      `${path}?x`,
      `${path}?`,
      `${path}/`,
      `${path}?tail=1?tail=2`,
      `${path}#x`,
      `/log/%${path.charCodeAt(5).toString(16)}${path.slice(6)}`,
      `/log//${path.slice(5)}`,
      "/log/" + "x".repeat(3000),
    ];
    for (const target of refused) {
      const answer = await exchange(served, [`GET ${target} HTTP/1.1`]);
      assert.equal(status(answer), 401, target);
      assert.equal(header(answer, "Access-Control-Allow-Origin"), "*");
      assert.equal(header(answer, "Content-Type"), "text/plain; charset=utf-8");
      assert.match(answer, /\r\n\r\nAccess denied/);
    }
    for (const target of ["/", "/logs", "/x/log/", `//log${path.slice(4)}`, "*", `http://x${path}`]) {
      assert.equal(status(await exchange(served, [`GET ${target} HTTP/1.1`])), 404, target);
    }
    const redirect = await exchange(served, ["GET /log HTTP/1.1"]);
    assert.deepEqual([status(redirect), header(redirect, "Location")], [301, "/log/"]);
  });
});

Deno.test("tokens are 22 characters that never begin with a dash, and differ", async () => {
  const tokens = new Set<string>();
  for (let round = 0; round < 30; round++) {
    await withServedLog(({ server }) => {
      assert.match(server.token.reveal(), /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
      assert.equal(`${server.token}`, "***", "LL-6: the token does not print");
      tokens.add(server.token.reveal());
      return Promise.resolve();
    });
  }
  assert.equal(tokens.size, 30);
});

Deno.test("5000 chunks of 850 bytes arrive whole and in order", async () => {
  await withServedLog(async ({ log, url, print }) => {
    const received = await fetch(url);
    const text = received.text();
    let sent = "";
    for (let line = 0; line < 5000; line++) {
      const chunk = `${line} `.padEnd(849, "x") + "\n";
      sent += chunk;
      print(chunk);
      if (line % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    log.close();
    assert.equal(await text, sent);
  });
});

Deno.test("LL-1: a reader that reads nothing for long, then everything, is not dropped and holds up nobody", async () => {
  await withServedLog(async ({ log, port, path, url, print }) => {
    const slow = await RawReader.get(port, path);
    const line = "x".repeat(9_999) + "\n";
    for (let count = 0; count < 3_000; count++) print(line);
    print("end\n");
    await seen(await fetch(url, { headers: { range: "bytes=-4" } }), "end");
    log.close();
    const answer = await slow.toEnd();
    slow.close();
    assert.ok(isWhole(answer));
    assert.ok(answer.length > 30_000_000);
  });
});

Deno.test("LL-3: an empty log ends its readers too", async () => {
  await withServedLog(async ({ log, port, path, server }) => {
    const reader = await RawReader.get(port, path);
    await reader.until("\r\n\r\n");
    log.close();
    assert.ok(isWhole(await reader.toEnd()));
    reader.close();
    await server.finished;
  });
});

Deno.test("LL-7: HEAD is answered at once, OPTIONS without the log, and other methods are refused", async () => {
  await withServedLog(async (served) => {
    const { path, print } = served;
    print("secret\n");
    const head = await exchange(served, [`HEAD ${path} HTTP/1.1`]);
    assert.equal(status(head), 200);
    assert.equal(header(head, "Transfer-Encoding"), "chunked");
    assert.ok(head.endsWith("\r\n\r\n"));
    const preflight = await exchange(served, [`OPTIONS ${path} HTTP/1.1`, "Origin: null"]);
    assert.equal(status(preflight), 204);
    assert.equal(header(preflight, "Access-Control-Allow-Origin"), "*");
    assert.equal(header(preflight, "Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
    assert.match(header(preflight, "Access-Control-Allow-Headers") ?? "", /Range/);
    assert.doesNotMatch(preflight, /secret/);
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "FOO", "get"]) {
      const answer = await exchange(served, [`${method} ${path} HTTP/1.1`, "Content-Length: 5", "", "hello"]);
      assert.equal(status(answer), 405, method);
      assert.equal(header(answer, "Allow"), "GET, HEAD, OPTIONS");
      assert.doesNotMatch(answer, /secret/);
    }
  });
});

Deno.test("LF-2, LF-9: every reader gets the rest and the last chunk, and only one that takes too long is broken off", async () => {
  const clock = new FakeClock();
  await withServedLog(async ({ log, port, path, server, print }) => {
    print("x".repeat(20_000_000));
    const readers = [await RawReader.get(port, path), await RawReader.get(port, path)];
    const [reading, stuck] = readers;
    assert.ok(reading && stuck);
    for (const reader of readers) await reader.until("\r\n\r\n");
    log.close();
    assert.ok(isWhole(await reading.toEnd()));
    let finished = false;
    server.finished.then(() => finished = true);
    await clock.advance(4_900);
    assert.ok(!finished, "the other one still has time");
    await clock.advance(200);
    await server.finished;
    const cut = await stuck.toEnd();
    assert.ok(!isWhole(cut) && cut.length < 20_000_000);
    for (const reader of readers) reader.close();
  }, { clock });
});

Deno.test("a reader that takes nothing for five minutes is broken off, one that waits for the task is not", async () => {
  const clock = new FakeClock();
  await withServedLog(async ({ port, path, server, print }) => {
    const waiting = await RawReader.get(port, path);
    await waiting.until("\r\n\r\n");
    await clock.advance(3_600_000);
    assert.equal(server.readers, 1);
    const stuck = await RawReader.get(port, path);
    await stuck.until("\r\n\r\n");
    print("x".repeat(20_000_000));
    await waiting.until("x".repeat(1000));
    assert.equal(server.readers, 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(302_000);
    assert.ok(!isWhole(await stuck.toEnd()));
    stuck.close();
    waiting.close();
  }, { clock });
});

Deno.test("connections that send no request, or half of one, end after ten seconds", async () => {
  const clock = new FakeClock();
  await withServedLog(async ({ port, path, server, print }) => {
    const silent = await RawReader.open(port);
    const slow = await RawReader.open(port);
    await slow.send(`GET ${path} HTT`);
    print("text\n");
    const proper = await RawReader.get(port, path);
    await proper.until("text");
    assert.equal(server.readers, 3);
    await clock.advance(11_000);
    assert.equal(await silent.toEnd(), "");
    assert.equal(await slow.toEnd(), "");
    assert.equal(server.readers, 1);
    for (const reader of [silent, slow, proper]) reader.close();
  }, { clock });
});

Deno.test("a client that has closed its sending side still gets the log, until nothing comes for a minute", async () => {
  const clock = new FakeClock();
  await withServedLog(async ({ port, path, print }) => {
    const reader = await RawReader.get(port, path);
    await reader.closeWrite();
    print("one\n");
    await reader.until("one\n");
    print("two\n");
    await reader.until("two\n");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(62_000);
    assert.ok(!isWhole(await reader.toEnd()));
    reader.close();
  }, { clock });
});

Deno.test("readers that vanish leave nothing behind", async () => {
  await withServedLog(async ({ log, port, path, server, print }) => {
    for (let round = 0; round < 50; round++) {
      const reader = await RawReader.get(port, path);
      await reader.until("\r\n\r\n");
      reader.close();
    }
    // Writing to a closed connection fails once the other side has said so.
    for (let round = 0; server.readers > 0 && round < 500; round++) {
      print("x".repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(server.readers, 0);
    log.close();
    await server.finished;
  });
});

Deno.test("what is no request is refused with a reason, and the log goes on", async () => {
  await withServedLog(async (served) => {
    const { url, path, print } = served;
    print("text\n");
    const bad: [number, string[]][] = [
      [400, ["hello"]],
      [400, [`GET ${path}`]],
      [400, [`GET ${path} extra HTTP/1.1`]],
      [400, [`GET ${path} HTTP/1.1`, "no colon"]],
      [400, [`GET ${path} HTTP/1.1`, "A: b", " folded: header"]],
      [400, ["\x16\x03\x01\x02\x00\x01\x00"]],
      [505, ["PRI * HTTP/2.0"]],
      [431, [`GET ${path} HTTP/1.1`, `A: ${"x".repeat(20_000)}`]],
      [431, [`GET ${path} HTTP/1.1`, ...Array.from({ length: 150 }, (_, at) => `A${at}: b`)]],
    ];
    for (const [expected, request] of bad) {
      const answer = await exchange(served, request);
      assert.equal(status(answer), expected, request[0]);
      assert.match(answer, /Connection: close\r\n/);
    }
    await seen(await fetch(url), "text");
  });
});

Deno.test("clients of HTTP/1.0 get the log without chunks", async () => {
  await withServedLog(async ({ log, port, path, print }) => {
    const reader = await RawReader.open(port);
    await reader.send(`GET ${path} HTTP/1.0\r\n\r\n`);
    print("one\n");
    await reader.until("one\n");
    log.close();
    const answer = await reader.toEnd();
    assert.match(answer, /\r\n\r\none\n$/);
    assert.equal(header(answer, "Transfer-Encoding"), undefined);
    reader.close();
  });
});

Deno.test("B7: a reader that lost its connection goes on where it was, without gap or repetition", async () => {
  await withServedLog(async ({ log, url, print }) => {
    print("one\ntwo\n");
    const first = await fetch(url);
    assert.equal(first.headers.get("accept-ranges"), "bytes");
    const etag = first.headers.get("etag") ?? "";
    assert.match(etag, /^"[^"]+"$/);
    await seen(first, "two\n");
    const resumed = await fetch(url, { headers: { range: "bytes=8-", "if-range": etag } });
    assert.equal(resumed.status, 206);
    assert.equal(resumed.headers.get("content-range"), `bytes 8-${MAX_SAFE_INTEGER}/*`);
    assert.match(resumed.headers.get("access-control-expose-headers") ?? "", /Content-Range/);
    const text = resumed.text();
    print("three\n");
    const other = await fetch(url, { headers: { range: "bytes=8-", "if-range": '"another"' } });
    assert.equal(other.status, 200);
    const whole = other.text();
    log.close();
    assert.equal(await text, "three\n");
    assert.equal(await whole, "one\ntwo\nthree\n");
  });
});

Deno.test("B7: ?tail=N begins with the last N lines and goes on", async () => {
  await withServedLog(async (served) => {
    const { log, url, path, print } = served;
    print(Array.from({ length: 50_000 }, (_, line) => `line ${line}\n`).join(""));
    const three = fetch(`${url}?tail=3`).then((response) => response.text());
    const many = fetch(`${url}?tail=40000`).then((response) => response.text());
    const none = fetch(`${url}?tail=0`).then((response) => response.text());
    const all = fetch(`${url}?tail=999999999`).then((response) => response.text());
    await seen(await fetch(`${url}?tail=1`), "line 49999\n");
    print("half");
    await seen(await fetch(`${url}?tail=1`), "half");
    for (const wrong of ["", "x", "-1", "1.5", "1&x"]) {
      assert.equal(status(await exchange(served, [`GET ${path}?tail=${wrong} HTTP/1.1`])), 400, wrong);
    }
    assert.equal(status(await exchange(served, [`GET ${path.slice(0, -1)}?tail=1 HTTP/1.1`])), 401);
    log.close();
    assert.equal(await three, "line 49997\nline 49998\nline 49999\nhalf");
    assert.match(await many, /^line 10000\n/);
    assert.equal(await none, "half");
    assert.match(await all, /^line 0\n/);
  });
});

Deno.test("200 readers of one log all get it while it is written, and the rest of the worker has its turns", async () => {
  await withServedLog(async ({ log, url, print }) => {
    const digests = Array.from({ length: 200 }, async () => {
      const response = await fetch(url);
      let sizeBytes = 0;
      for await (const bytes of response.body!) sizeBytes += bytes.length;
      return sizeBytes;
    });
    let longestMs = 0;
    for (let round = 0; round < 200; round++) {
      print("y".repeat(9_999) + "\n");
      const before = performance.now();
      await new Promise((resolve) => setTimeout(resolve));
      longestMs = Math.max(longestMs, performance.now() - before);
    }
    log.close();
    assert.deepEqual(new Set(await Promise.all(digests)), new Set([2_000_000]));
    assert.ok(longestMs < 1_000, `the event loop was held for ${longestMs} ms`);
  });
});
