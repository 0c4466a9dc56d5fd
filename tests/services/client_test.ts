/** Calls of services: what is sent, what is tried again, and what a refusal says. */

import assert from "node:assert/strict";
import { server as hawkServer } from "hawk";
import { Secret } from "../../src/base/secret.ts";
import type { Clock } from "../../src/base/clock.ts";
import { ServiceClient, type ServiceClientOptions } from "../../src/services/client.ts";
import { ServiceError } from "../../src/services/errors.ts";
import { Queue } from "../../src/services/queue.ts";

const credentials = { clientId: "tester", accessToken: new Secret("key") };

/** Sleeps take no time but are noted; everything else is the real clock. */
class HastyClock implements Clock {
  readonly sleptMs: number[] = [];
  #extraMs = 0;

  nowMs(): number {
    return Date.now();
  }
  monotonicMs(): number {
    return performance.now() + this.#extraMs;
  }
  sleep(durationMs: number): Promise<void> {
    this.sleptMs.push(durationMs);
    this.#extraMs += durationMs;
    return Promise.resolve();
  }
}

type Handler = (request: Request) => Response | Promise<Response>;

async function withService(
  handler: Handler,
  use: (client: ServiceClient, clock: HastyClock) => Promise<void>,
  options: Partial<ServiceClientOptions> = {},
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  const clock = new HastyClock();
  try {
    const rootUrl = `http://127.0.0.1:${server.addr.port}/`;
    await use(new ServiceClient({ rootUrl, clock, random: () => 0.5, ...options }), clock);
  } finally {
    await server.shutdown();
  }
}

const call = {
  service: "queue",
  name: "claimWork",
  method: "POST",
  path: ["claim-work", "prov/type"],
} as const;

function refusal(status: number, headers: Record<string, string> = {}): Response {
  return Response.json({ code: "SomeCode", message: "first line\n\nmore", requestInfo: {} }, {
    status,
    headers,
  });
}

Deno.test("a call goes to its service with each path parameter encoded as one segment", async () => {
  let seen = "";
  await withService((request) => {
    seen = `${request.method} ${new URL(request.url).pathname}`;
    return Response.json({ ok: true });
  }, async (client) => {
    assert.deepEqual(await client.call({ ...call, body: {} }), { ok: true });
  });
  assert.equal(seen, "POST /api/queue/v1/claim-work/prov%2Ftype");
});

Deno.test("a call is signed so that hawk accepts it, without payload hash, with certificate and scopes", async () => {
  const certificate = new Secret(JSON.stringify({ version: 1 }));
  let ext: unknown;
  let hash: unknown;
  await withService(async (request) => {
    const url = new URL(request.url);
    const { artifacts } = await hawkServer.authenticate({
      method: request.method,
      url: url.pathname,
      headers: Object.fromEntries(request.headers),
      host: url.hostname,
      port: Number(url.port),
    }, () => ({ id: "tester", key: "key", algorithm: "sha256" }));
    ext = JSON.parse(atob(artifacts.ext));
    hash = artifacts.hash;
    return Response.json({});
  }, async (client) => {
    await client.call({
      ...call,
      body: {},
      credentials: { ...credentials, certificate },
      authorizedScopes: ["a"],
    });
  });
  assert.deepEqual(ext, { certificate: { version: 1 }, authorizedScopes: ["a"] });
  assert.equal(hash, undefined);
});

Deno.test("a call without body sends no content type", async () => {
  let contentType: string | null = "unset";
  await withService((request) => {
    contentType = request.headers.get("content-type");
    return Response.json({});
  }, async (client) => {
    await client.call({ ...call, method: "GET" });
  });
  assert.equal(contentType, null);
});

Deno.test("a call is tried again on 5xx with growing pauses, and each time signed anew", async () => {
  const signatures = new Set<string | null>();
  await withService((request) => {
    signatures.add(request.headers.get("authorization"));
    return signatures.size < 4 ? refusal(502) : Response.json({});
  }, async (client, clock) => {
    await client.call({ ...call, credentials });
    assert.deepEqual(clock.sleptMs, [500, 750, 1125]);
  });
  assert.equal(signatures.size, 4);
});

Deno.test("a call is not tried again on 4xx, and the error is one line (K46)", async () => {
  let calls = 0;
  await withService(() => {
    calls++;
    return refusal(409);
  }, async (client) => {
    await assert.rejects(client.call(call), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.message, "queue.claimWork: HTTP 409: first line");
      assert.equal(error.status, 409);
      assert.equal(error.details.code, "SomeCode");
      return true;
    });
  });
  assert.equal(calls, 1);
});

Deno.test("a call waits as long as Retry-After says on 429 (K35)", async () => {
  let calls = 0;
  await withService(
    () => ++calls === 1 ? refusal(429, { "retry-after": "7" }) : Response.json({}),
    async (client, clock) => {
      await client.call(call);
      assert.deepEqual(clock.sleptMs, [7000]);
    },
  );
});

Deno.test("a call gives up after fifteen minutes and says how often it tried", async () => {
  await withService(() => refusal(500), async (client, clock) => {
    await assert.rejects(client.call(call), (error) => {
      assert.ok(error instanceof ServiceError);
      assert.ok(error.details.attempts > 20, `${error.details.attempts} attempts`);
      return true;
    });
    const waitedMs = clock.sleptMs.reduce((sum, one) => sum + one, 0);
    assert.ok(waitedMs > 13 * 60_000 && waitedMs < 15 * 60_000, `waited ${waitedMs} ms`);
  });
});

Deno.test("a call that gets no answer in time is tried again (K35)", async () => {
  let calls = 0;
  const release = Promise.withResolvers<void>();
  await withService(async () => {
    if (++calls === 1) await release.promise;
    return Response.json({});
  }, async (client) => {
    await client.call(call);
    release.resolve();
  }, { attemptTimeoutMs: 50 });
  assert.equal(calls, 2);
});

Deno.test("a call takes an answer that is not JSON for a passing fault", async () => {
  let calls = 0;
  await withService(
    () => ++calls === 1 ? new Response("<html>") : Response.json({ ok: 1 }),
    async (client) => {
      assert.deepEqual(await client.call(call), { ok: 1 });
    },
  );
});

Deno.test("a call does not follow redirects and takes them for success", async () => {
  await withService(
    () => new Response(null, { status: 303, headers: { location: "/elsewhere" } }),
    async (client) => {
      assert.equal(await client.call(call), undefined);
    },
  );
});

Deno.test("a long poll ends at once when its signal aborts (K3)", async () => {
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await withService(async () => {
    arrived.resolve();
    await release.promise;
    return Response.json({ tasks: [] });
  }, async (client) => {
    const abort = new AbortController();
    const request = { taskQueueId: "a/b", tasks: 1, workerGroup: "g", workerId: "w" };
    const claim = new Queue(client).claimWork(credentials, request, { signal: abort.signal });
    await arrived.promise;
    abort.abort(new Error("ending"));
    await assert.rejects(claim, /ending/);
    release.resolve();
  });
});

Deno.test("the client learns the deployment's clock and signs with it (K7)", async () => {
  const skewMs = 3 * 60 * 60_000;
  const stamps: number[] = [];
  await withService((request) => {
    stamps.push(Number(/ts="(\d+)"/.exec(request.headers.get("authorization") ?? "")?.[1]) * 1000);
    const headers = { date: new Date(Date.now() + skewMs).toUTCString() };
    return stamps.length === 1 ? refusal(500, headers) : Response.json({}, { headers });
  }, async (client) => {
    await client.call({ ...call, credentials });
    assert.ok(Math.abs(client.clockSkewMs - skewMs) < 2_000, `${client.clockSkewMs}`);
  });
  assert.ok(Math.abs(stamps[1]! - stamps[0]! - skewMs) < 3_000);
});

Deno.test("a call refused for the time of its signature is signed again with the time it learned (K7)", async () => {
  const serverMs = () => Date.now() + 3 * 3_600_000;
  let calls = 0;
  await withService((request) => {
    calls++;
    const ts = Number(/ts="(\d+)"/.exec(request.headers.get("authorization") ?? "")?.[1]) * 1000;
    const headers = { date: new Date(serverMs()).toUTCString() };
    return Math.abs(ts - serverMs()) > 60_000 ? refusal(401, headers) : Response.json({}, { headers });
  }, async (client) => {
    await client.call({ ...call, credentials });
    await client.call({ ...call, credentials });
  });
  assert.equal(calls, 3);
});

Deno.test("a call refused for its credentials alone is not tried again", async () => {
  let calls = 0;
  await withService(() => {
    calls++;
    return refusal(401);
  }, async (client) => {
    await assert.rejects(client.call({ ...call, credentials }), ServiceError);
  });
  assert.equal(calls, 1);
});

Deno.test("each attempt of a call is signed with the credentials of its moment", async () => {
  const seen: string[] = [];
  await withService((request) => {
    seen.push(/id="([^"]*)"/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "");
    return seen.length < 3 ? refusal(502) : Response.json({});
  }, async (client) => {
    let reclaims = 0;
    const current = () => ({ ...credentials, clientId: `claim-${++reclaims}` });
    await client.call({ ...call, credentials: current });
  });
  assert.deepEqual(seen, ["claim-1", "claim-2", "claim-3"]);
});
