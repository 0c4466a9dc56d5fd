/** What clients and services see of the proxy (spec 04 §7, §9.5). */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Secret } from "../../../src/base/secret.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Signer } from "../../../src/features/taskcluster_proxy/signature.ts";
import { answer, get, put, withProxy } from "./proxy.ts";
import { RawClient, send } from "./raw_http.ts";

function temporary(certificate: string): Signer {
  return {
    credentials: {
      clientId: "temp",
      accessToken: new Secret("token-of-temp"),
      certificate: new Secret(certificate),
    },
    authorizedScopes: ["a"],
  };
}

Deno.test("the proxy passes paths on byte for byte", async () => {
  await withProxy(() => answer(200), async ({ client, upstream }) => {
    const one = await client();
    const cases = {
      "/queue/v1/double//slash/encode1%2F/encode2%252F":
        "/api/queue/v1/double//slash/encode1%2F/encode2%252F",
      "/api/queue/v1/y%2fz": "/api/queue/v1/y%2fz",
      "/api/queue/v1/a/../b/./?x=%20&x": "/api/queue/v1/a/../b/./?x=%20&x",
    };
    for (const [asked, seen] of Object.entries(cases)) {
      assert.equal((await one.ask(get(asked))).status, 200);
      assert.equal(upstream.requests.at(-1)?.target, seen);
    }
    assert.equal(upstream.connections, 1, "the connection is used again");
  });
});

Deno.test("the proxy replaces Host and Authorization, invents nothing, and TP-9: keeps hop-by-hop fields to itself", async () => {
  await withProxy(() => answer(200), async ({ client, upstream }) => {
    const more = [
      "Authorization: Bearer mine",
      "X-Twice: 1",
      "x-twice: 2",
      "Connection: keep-alive, X-Private",
      "X-Private: p",
      "Keep-Alive: 5",
      "TE: trailers",
      "Upgrade: h2c",
      "Proxy-Authorization: z",
    ];
    await (await client()).ask(put("/queue/v1/x", "{}", { method: "POST", more }));
    const [request] = upstream.requests;
    assert.ok(request);
    const names = request.lines.map((line) => line.split(":")[0]);
    assert.deepEqual(names, ["Host", "X-Twice", "x-twice", "Authorization", "Content-Length"]);
    assert.equal(request.value("host"), `127.0.0.1:${upstream.port}`);
    assert.match(request.value("authorization") ?? "", /^Hawk id="tester", mac="[^"]+", ts="\d+"/);
    assert.equal(request.value("content-type"), undefined);
  });
});

Deno.test("TP-9: all values of a repeated answer field come through, hop-by-hop ones do not", async () => {
  const more = ["Set-Cookie: a", "Set-Cookie: b", "Keep-Alive: 5", "Connection: X-Mine", "X-Mine: 1"];
  await withProxy(() => answer(200, "{}", more), async ({ client }) => {
    const got = await (await client()).ask(get("/queue/v1/x"));
    assert.deepEqual(got.values("set-cookie"), ["a", "b"]);
    assert.deepEqual([...got.values("keep-alive"), ...got.values("x-mine")], []);
  });
});

Deno.test("every answer says which proxy, whose credentials, which scopes and which address", async () => {
  await withProxy(() => answer(200), async ({ client, sign, upstream }) => {
    const one = await client();
    const got = await one.ask(get("/queue/v1/x?y"));
    assert.deepEqual(got.values("x-taskcluster-proxy-version"), ["1.2.3"]);
    assert.deepEqual(got.values("x-taskcluster-proxy-revision"), ["abc"]);
    assert.deepEqual(got.values("x-taskcluster-proxy-perm-clientid"), ["tester"]);
    assert.deepEqual(got.values("x-taskcluster-proxy-temp-clientid"), []);
    assert.deepEqual(got.values("x-taskcluster-authorized-scopes"), ['["test:authenticate-get"]']);
    assert.deepEqual(got.values("x-taskcluster-endpoint"), [`${upstream.rootUrl}/api/queue/v1/x?y`]);
    sign(temporary('{"scopes":["a","é"]}'));
    const temp = await one.ask(get("/x@/"));
    assert.equal(temp.status, 404);
    assert.deepEqual(temp.values("x-taskcluster-endpoint"), []);
    assert.deepEqual(temp.values("x-taskcluster-proxy-perm-clientid"), []);
    assert.deepEqual(temp.values("x-taskcluster-proxy-temp-clientid"), ["temp"]);
    assert.deepEqual(temp.values("x-taskcluster-proxy-temp-scopes"), ['["a","\\u00e9"]']);
    assert.equal(upstream.requests.length, 1);
  });
});

for (
  const [status, more] of [[303, ["Location: https://x/"]], [429, ["Retry-After: 7"]], [401, []], [
    404,
    [],
  ]] as const
) {
  Deno.test(`an answer ${status} comes back as it is after one attempt`, async () => {
    await withProxy(() => answer(status, '{"code":"X"}', more), async ({ client, upstream }) => {
      const got = await (await client()).ask(get("/queue/v1/x"));
      assert.deepEqual([got.status, got.body], [status, '{"code":"X"}']);
      for (const line of more) assert.ok(got.lines.includes(line), line);
      assert.equal(upstream.requests.length, 1);
    });
  });
}

Deno.test("TP-10: a certificate that can't be parsed is answered with 500 and nothing of it, and nothing follows", async () => {
  await withProxy(() => answer(200), async ({ client, sign, upstream }) => {
    sign(temporary("not-json-secret"));
    const one = await client();
    const got = await one.ask(get("/queue/v1/x", ["Connection: close"]));
    assert.equal(got.status, 500);
    assert.equal(await one.input.rest(), "");
    assert.ok(!(got.body + got.lines.join()).includes("not-json"), got.body);
    assert.equal(upstream.requests.length, 0);
  });
});

Deno.test("TP-2: /credentials refuses: 405 but for PUT, 400 for what is no JSON object, 403 for credentials", async () => {
  await withProxy(() => answer(200), async ({ client, upstream }) => {
    const one = await client();
    const status = async (body: string, method = "PUT") =>
      (await one.ask(put("/credentials", body, { method }))).status;
    const valid = '{"clientId":"evil","accessToken":"t","certificate":""}';
    assert.equal(await status(valid, "POST"), 405);
    // Its body was not read, so the connection is closed.
    assert.equal(await one.input.rest(), "");
    const two = await client();
    for (const body of ["", "{", "[]", "null", '{"clientId":5}']) {
      assert.equal((await two.ask(put("/credentials", body))).status, 400, body);
    }
    assert.equal((await two.ask(put("/credentials", valid))).status, 403);
    await two.ask(get("/queue/v1/x"));
    assert.match(upstream.requests[0]?.value("authorization") ?? "", /^Hawk id="tester"/);
  });
});

Deno.test("/bewit signs the trimmed address, TP-7: and refuses what is no complete one", async () => {
  await withProxy(() => answer(200), async ({ client }) => {
    const one = await client();
    const got = await one.ask(put("/bewit", "  https://x.example/a?z=1&b=2\n", { method: "POST" }));
    assert.equal(got.status, 303);
    assert.match(got.body, /^https:\/\/x\.example\/a\?z=1&b=2&bewit=[\w-]+$/);
    assert.deepEqual(got.values("location"), [got.body]);
    for (const body of ["", "/relative", "x.example/a"]) {
      assert.equal((await one.ask(put("/bewit", body))).status, 400, body);
    }
  });
});

Deno.test("answers from 500 on are tried again, TP-4: but not for long, and the last one comes back intact", async () => {
  await withProxy(
    (_, count) => answer(count < 3 ? 503 : 200, `body ${count}`),
    async ({ client, upstream }) => {
      const got = await (await client()).ask(put("/queue/v1/x", "data", { method: "POST" }));
      assert.deepEqual([got.status, got.body], [200, "body 3"]);
      assert.deepEqual(upstream.requests.map(({ body }) => new TextDecoder().decode(body)), [
        "data",
        "data",
        "data",
      ]);
      const signatures = new Set(upstream.requests.map((request) => request.value("authorization")));
      assert.equal(signatures.size, 3, "each attempt has a signature of its own");
    },
  );
  await withProxy((_, count) => answer(502, `body ${count}`), async ({ client, upstream }) => {
    const got = await (await client()).ask(get("/queue/v1/x"));
    assert.deepEqual([got.status, got.body], [502, `body ${upstream.requests.length}`]);
    assert.ok(upstream.requests.length > 3 && upstream.requests.length < 20);
  });
});

Deno.test("a service that hangs up is tried again, and in the end answered for with 500", async () => {
  await withProxy((_, count) => count === 1 ? undefined : answer(200), async ({ client }) => {
    assert.equal((await (await client()).ask(get("/queue/v1/x"))).status, 200);
  });
  await withProxy(() => undefined, async ({ client }) => {
    const one = await client();
    const got = await one.ask(get("/queue/v1/x"));
    assert.equal(got.status, 500);
    assert.match(got.body, /^Cannot reach 127\.0\.0\.1:\d+: /);
  });
});

Deno.test("a kept connection that the service has closed costs no attempt", async () => {
  const none = { retryForMs: 0 };
  const closing = new Map<number, string | undefined>([[2, undefined]]);
  await withProxy(
    (_, count) => closing.has(count) ? undefined : answer(200),
    async ({ client, upstream }) => {
      const one = await client();
      assert.equal((await one.ask(get("/queue/v1/x"))).status, 200);
      assert.equal((await one.ask(get("/queue/v1/x"))).status, 200);
      assert.equal(upstream.connections, 2);
    },
    none,
  );
});

Deno.test("TP-4: a client that goes away ends what the proxy does for it", async () => {
  const waiting = Promise.withResolvers<string>();
  await withProxy(() => waiting.promise, async ({ client, upstream }) => {
    const one = await client();
    await send(one.conn, get("/queue/v1/x"));
    await upstream.saw(1);
    one.conn.close();
    waiting.resolve(answer(503));
    const two = await client();
    await two.ask(get("/queue/v1/y"));
    // Were it still at it, its attempts would come between.
    assert.deepEqual(upstream.requests.map(({ target }) => target).slice(0, 2), [
      "/api/queue/v1/x",
      "/api/queue/v1/y",
    ]);
  }, { retryForMs: 0, clock: systemClock });
});

Deno.test("TP-3: new credentials wait for no request, and a request under way waits for none", async () => {
  const waiting = Promise.withResolvers<void>();
  await withProxy(async (_, count) => {
    if (count === 1) await waiting.promise;
    return answer(count === 1 ? 503 : 200);
  }, async ({ client, sign, upstream }) => {
    const [one, two] = [await client(), await client()];
    const slow = one.ask(get("/queue/v1/slow"));
    await upstream.saw(1);
    sign(temporary('{"scopes":[]}'));
    assert.equal((await two.ask(get("/queue/v1/quick"))).status, 200);
    waiting.resolve();
    assert.equal((await slow).status, 200);
    const ids = upstream.requests.map((request) =>
      /id="(\w+)"/.exec(request.value("authorization") ?? "")?.[1]
    );
    assert.deepEqual(ids, ["tester", "temp", "temp"], "the second attempt has the new ones");
  });
});

Deno.test("HEAD, 204 and 304 have no body, and the connection goes on", async () => {
  const script = ({ method, target }: { method: string; target: string }) =>
    method === "HEAD"
      ? "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
      : target.endsWith("204")
      ? "HTTP/1.1 204 No Content\r\n\r\n"
      : "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n";
  await withProxy(script, async ({ client }) => {
    const one = await client();
    const head = await one.ask(get("/queue/v1/x").replace("GET", "HEAD"), { bodiless: true });
    assert.deepEqual(head.values("content-length"), ["99"]);
    assert.equal((await one.ask(get("/queue/v1/204"))).status, 204);
    assert.equal((await one.ask(get("/queue/v1/304"))).status, 304);
    assert.equal((await one.ask(get("/nowhere").replace("GET", "HEAD"), { bodiless: true })).status, 404);
    assert.equal((await one.ask(get("/queue/v1/204"))).status, 204);
  });
});

Deno.test("answers in chunks and up to the end of the connection come through, and broken ones break", async () => {
  const answers: Record<string, string> = {
    chunked:
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n",
    closed: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde",
    cut: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabcde",
  };
  const script = ({ target }: { target: string }) => answers[target.split("/").at(-1) ?? ""];
  await withProxy(script, async ({ client }) => {
    const one = await client();
    assert.equal((await one.ask(get("/a/v1/chunked"))).body, "abcde");
    assert.equal((await one.ask(get("/a/v1/closed"))).body, "abcde");
    const old = await client();
    const plain = await old.ask(get("/a/v1/chunked").replace("HTTP/1.1", "HTTP/1.0"));
    assert.deepEqual([plain.body, plain.values("transfer-encoding")], ["abcde", []]);
    await assert.rejects(one.ask(get("/a/v1/cut")), /ended after "abcde"/);
  });
});

Deno.test("requests in chunks arrive, an invitation is given where it is waited for, and pipelined ones are answered", async () => {
  await withProxy(({ body }) => answer(200, `${body.length}`), async ({ client, upstream }) => {
    const one = await client();
    const head = "POST /a/v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    const invited = await one.ask(head, { bodiless: true });
    assert.equal(invited.status, 100);
    assert.equal((await one.ask("5\r\nabcde\r\n1\r\nf\r\n0\r\n\r\n")).body, "6");
    assert.equal(upstream.requests[0]?.value("expect"), undefined);
    await send(one.conn, get("/a/v1/1") + put("/a/v1/2", "ab") + get("/a/v1/3"));
    const bodies = [];
    for (let count = 0; count < 3; count++) bodies.push((await one.input.answer()).body);
    assert.deepEqual(bodies, ["0", "2", "0"]);
  });
});

const broken: Readonly<Record<string, [request: string, status: number]>> = {
  "no HTTP": ["hello\r\n\r\n", 400],
  "a malformed field": ["GET / HTTP/1.1\r\nno colon\r\n\r\n", 400],
  "a name with a space": ["GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400],
  "a lone line end in a value": ["GET /a/v1/x HTTP/1.1\r\nX: a\rY: b\r\n\r\n", 400],
  "two lengths": ["POST /a/v1/x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400],
  "length and chunks": [
    "POST /a/v1/x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
    400,
  ],
  "another coding": ["POST /a/v1/x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501],
  "a negative length": ["POST /a/v1/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400],
  "an endless line": [`GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`, 431],
  "endless fields": [`GET / HTTP/1.1\r\n${`X: ${"a".repeat(1000)}\r\n`.repeat(300)}\r\n`, 431],
};

for (const [what, [request, status]] of Object.entries(broken)) {
  Deno.test(`a request with ${what} is answered with ${status} and the end of the connection`, async () => {
    await withProxy(() => answer(200), async ({ client, upstream }) => {
      const one = await client();
      assert.equal((await one.ask(request)).status, status);
      one.conn.closeWrite();
      assert.equal(await one.input.rest(), "");
      assert.equal(upstream.requests.length, 0);
      assert.equal((await (await client()).ask(get("/a/v1/x"))).status, 200);
    });
  });
}

Deno.test("a head that does not come to its end is given up with 408", async () => {
  await withProxy(() => answer(200), async ({ client }) => {
    const one = await client();
    assert.equal((await one.ask("GET / HT")).status, 408);
    assert.equal(await one.input.rest(), "");
  }, { headMs: 50 });
});

Deno.test("a service that refuses before it has read everything is passed back", async () => {
  const lengthBytes = 8 * 1024 * 1024;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const refusing = (async () => {
    const conn = await listener.accept();
    await conn.read(new Uint8Array(1024));
    await send(conn, answer(413, "too large", ["Connection: close"]));
    await conn.closeWrite();
    while (await conn.read(new Uint8Array(64 * 1024)).catch(() => null) !== null) continue;
    conn.close();
  })();
  await withProxy(() => undefined, async ({ client }) => {
    const one = await client();
    await send(one.conn, `PUT /a/v1/x HTTP/1.1\r\nContent-Length: ${lengthBytes}\r\n\r\n`);
    const sending = send(one.conn, "x".repeat(lengthBytes)).catch(() => {});
    const got = await one.input.answer();
    assert.deepEqual([got.status, got.body], [413, "too large"]);
    one.conn.close();
    await sending;
  }, { rootUrl: `http://127.0.0.1:${listener.addr.port}` });
  await refusing;
});

Deno.test("connections that are not admitted are closed without a word, and the next ones are served", async () => {
  let admitted = false;
  await withProxy(() => answer(200), async ({ client, upstream }) => {
    assert.equal(await (await client()).input.rest(), "");
    admitted = true;
    assert.equal((await (await client()).ask(get("/a/v1/x"))).status, 200);
    assert.equal(upstream.requests.length, 1);
  }, { admits: () => admitted });
});

Deno.test("PF-8: the proxy answers at ::1 too", async () => {
  await withProxy(() => answer(200), async ({ proxy }) => {
    using client = await RawClient.connect(proxy.port, "::1");
    assert.equal((await client.ask(get("/a/v1/x"))).status, 200);
  });
});

Deno.test("stop() ends requests under way and frees the port", async () => {
  const waiting = Promise.withResolvers<undefined>();
  await withProxy(() => waiting.promise, async ({ client, proxy, upstream }) => {
    const one = await client();
    await send(one.conn, get("/a/v1/x"));
    await upstream.saw(1);
    const { port } = proxy;
    await proxy.stop();
    assert.equal(await one.input.rest(), "");
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    waiting.resolve(undefined);
  });
});

Deno.test("no bytes of a client bring the proxy down or reach a service as another request", async () => {
  const vocabulary = [
    "GET ",
    "/a/v1/x",
    " HTTP/1.1",
    "\r\n",
    "\n",
    "\r\n\r\n",
    ":",
    "Content-Length: 3",
    "5\r\n",
    "\0",
    "é",
  ];
  const piece = fc.oneof(fc.constantFrom(...vocabulary), fc.string({ maxLength: 5 }));
  await withProxy(() => answer(200), async ({ proxy, client, upstream }) => {
    const bytes = fc.array(piece, { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(bytes, async (pieces) => {
        using hostile = await RawClient.connect(proxy.port);
        await send(hostile.conn, pieces.join("")).catch(() => {});
        await hostile.conn.closeWrite().catch(() => {});
        await hostile.input.rest();
      }),
      { numRuns: 300 },
    );
    for (const request of upstream.requests) {
      assert.ok(request.lines.some((line) => line.startsWith("Authorization: Hawk id=")), request.target);
    }
    assert.equal((await (await client()).ask(get("/a/v1/x"))).status, 200);
  });
});
