import { strict as assert } from "node:assert";
import { type FaultRule, FaultSchedule } from "../../src/embedded/faults.ts";
import { Cluster } from "./cluster.ts";

const status = { service: "queue", entry: "status" };
const params = { taskId: "AAAAAAAAQAGAAAAAAAAAAA" };

async function outcomes(cluster: Cluster, calls: number): Promise<(number | string)[]> {
  const seen: (number | string)[] = [];
  for (let i = 0; i < calls; i++) {
    seen.push(await cluster.call("queue.status", { params }).then(({ status }) => status, () => "no answer"));
  }
  return seen;
}

function withRules(...rules: FaultRule[]): Promise<Cluster> {
  return Cluster.start({ faults: new FaultSchedule(rules) });
}

Deno.test("a fault takes effect on the calls it counts to, and on no others", async () => {
  await using cluster = await withRules(
    { ...status, fromCall: 2, calls: 2, effect: { kind: "status", status: 502 } },
    { ...status, fromCall: 4, calls: 1, effect: { kind: "reset" } },
    { service: "secrets", effect: { kind: "reset" } },
  );
  assert.deepEqual(await outcomes(cluster, 5), [404, 502, 502, "no answer", 404]);
  await assert.rejects(cluster.call("secrets.list"));
  assert.equal(cluster.tc.requests.count("queue.status"), 5);
});

Deno.test("a fault takes effect in its window of time only", async () => {
  await using cluster = await withRules({
    path: /\/status$/,
    afterMs: 1000,
    beforeMs: 61_000,
    effect: { kind: "status", status: 503 },
  });
  const seen: (number | string)[] = [];
  for (const advanceMs of [0, 999, 1, 59_999, 1]) {
    await cluster.clock.advance(advanceMs);
    seen.push(...await outcomes(cluster, 1));
  }
  assert.deepEqual(seen, [404, 404, 503, 503, 404]);
});

Deno.test("a 429 says how long to wait", async () => {
  const effect = { kind: "status", status: 429, retryAfter: "7" } as const;
  await using cluster = await withRules({ effect });
  const { status, headers, body } = await cluster.call("queue.ping");
  assert.deepEqual([status, headers.get("retry-after"), body.code], [429, "7", "TooManyRequests"]);
});

Deno.test("a lost answer leaves the call performed", async () => {
  await using cluster = await withRules({
    entry: "reportCompleted",
    calls: 1,
    effect: { kind: "lostAnswer" },
  });
  const taskId = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await assert.rejects(cluster.call("queue.reportCompleted", { params: run, as }));
  assert.equal(cluster.story(taskId), "completed/completed completed");
  await cluster.ok("queue.reportCompleted", { params: run, as });
});

Deno.test("a reset call is not performed", async () => {
  await using cluster = await withRules({ entry: "reportCompleted", calls: 1, effect: { kind: "reset" } });
  const taskId = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await assert.rejects(cluster.call("queue.reportCompleted", { params: run, as }));
  assert.equal(cluster.story(taskId), "running running");
});

Deno.test("expired credentials are refused as the real services do", async () => {
  await using cluster = await withRules({
    service: "queue",
    calls: 1,
    effect: { kind: "expiredCredentials" },
  });
  assert.equal(await cluster.refusal("queue.status", { params }), "401 AuthenticationFailed");
  assert.equal(await cluster.refusal("queue.status", { params }), "404 ResourceNotFound");
});

Deno.test("a delayed call is answered after the delay", async () => {
  await using cluster = await withRules({ ...status, effect: { kind: "delay", delayMs: 5000 } });
  const delayed = cluster.clock.nextSleep(5000);
  const call = cluster.call("queue.status", { params });
  await delayed;
  assert.equal(cluster.tc.requests.count("queue.status"), 0);
  await cluster.clock.advance(5000);
  assert.equal((await call).status, 404);
});

Deno.test("a skewed clock shows in the date, and refuses signatures of the right time", async () => {
  const skewMs = 20 * 60_000;
  await using cluster = await withRules({ ...status, effect: { kind: "clockSkew", skewMs } });
  const { status: code, headers } = await cluster.call("queue.status", { params });
  assert.equal(code, 401);
  assert.equal(Date.parse(headers.get("date") ?? ""), cluster.clock.nowMs() + skewMs);
  const url = `${cluster.tc.rootUrl}/api/queue/v1/task/${params.taskId}/status`;
  const { credentials } = cluster.tc;
  const authorization = cluster.sign("GET", url, {
    credentials,
    timestampMs: cluster.clock.nowMs() + skewMs,
  });
  const skewed = await fetch(url, { headers: { authorization } });
  await skewed.body?.cancel();
  assert.equal(skewed.status, 404);
});

Deno.test("a truncated body breaks off below its announced length", async () => {
  await using cluster = await withRules({ entry: "ping", effect: { kind: "truncatedBody", afterBytes: 3 } });
  await assert.rejects(cluster.call("queue.ping"));
});

Deno.test("a slow store takes the time its rate says, in both directions", async () => {
  await using cluster = await withRules({
    service: "store",
    effect: { kind: "slowStore", bytesPerSecond: 10 },
  });
  const key = { bucket: "public-artifacts", key: "slow" };
  const { store } = cluster.tc.services;
  const url = store.putUrl(key, { contentType: "text/plain", expiresMs: cluster.clock.nowMs() + 60_000 });
  const receiving = cluster.clock.nextSleep(500);
  const put = fetch(url, { method: "PUT", headers: { "content-type": "text/plain" }, body: "12345" });
  await receiving;
  assert.equal(store.find(key), undefined);
  await cluster.clock.advance(500);
  const stored = await put;
  await stored.body?.cancel();
  assert.equal(stored.status, 200);
  let sending = cluster.clock.nextSleep(100);
  const get = fetch(store.publicUrl(key)).then((response) => response.text());
  for (let byte = 0; byte < 5; byte++) {
    await sending;
    sending = cluster.clock.nextSleep(100);
    await cluster.clock.advance(100);
  }
  assert.equal(await get, "12345");
});

Deno.test("rules may be added and removed while the services run", async () => {
  await using cluster = await Cluster.start();
  const remove = cluster.tc.faults.add({ ...status, effect: { kind: "status", status: 500 } });
  assert.deepEqual(await outcomes(cluster, 1), [500]);
  remove();
  assert.deepEqual(await outcomes(cluster, 1), [404]);
  cluster.tc.faults.add({ effect: { kind: "reset" } });
  cluster.tc.faults.clear();
  assert.deepEqual(await outcomes(cluster, 1), [404]);
});
