import { strict as assert } from "node:assert";
import { credentialsFromWire } from "../../../src/services/credentials.ts";
import type { ReclaimResponse } from "../../../src/services/queue_types.ts";
import { Cluster } from "../cluster.ts";

const minuteMs = 60_000;

Deno.test("claimWork hands out the most urgent tasks first, and equals in the order of their creation", async () => {
  await using cluster = await Cluster.start();
  const ids: Record<string, string> = {};
  for (
    const [name, priority] of [["a", "low"], ["b", "highest"], ["c", "low"], ["d", "medium"], [
      "e",
      "highest",
    ]]
  ) {
    ids[name ?? ""] = await cluster.create({ priority });
  }
  const claims = [...await cluster.claim(3), ...await cluster.claim(32)];
  const order = ["b", "e", "d", "a", "c"].map((name) => ids[name]);
  assert.deepEqual(claims.map(({ taskId }) => taskId), order);
  assert.deepEqual(await cluster.claim(), []);
});

Deno.test("claimWork waits for work and answers as soon as some arrives", async () => {
  await using cluster = await Cluster.start({ settings: { longPollMs: 20_000 } });
  const waiting = cluster.clock.nextSleep(20_000);
  const claiming = cluster.claim();
  await waiting;
  const taskId = await cluster.create();
  const claims = await claiming;
  assert.deepEqual(claims.map((claim) => claim.taskId), [taskId]);
});

Deno.test("claimWork answers without tasks when none came in time", async () => {
  await using cluster = await Cluster.start({ settings: { longPollMs: 20_000 } });
  const waiting = cluster.clock.nextSleep(20_000);
  const claiming = cluster.claim();
  await waiting;
  await cluster.clock.advance(20_000);
  assert.deepEqual(await claiming, []);
});

Deno.test("claimWork gives nothing to a worker that went away while waiting", async () => {
  await using cluster = await Cluster.start({ settings: { longPollMs: 20_000 } });
  const leaving = new AbortController();
  const waiting = cluster.clock.nextSleep(20_000);
  const ended = cluster.tc.requests.next(({ entry }) => entry === "claimWork");
  const claiming = cluster.call("queue.claimWork", {
    params: { taskQueueId: "prov/type" },
    body: { tasks: 1, workerGroup: "group", workerId: "gone" },
    signal: leaving.signal,
  });
  await waiting;
  leaving.abort();
  await assert.rejects(claiming);
  await ended;
  const taskId = await cluster.create();
  assert.equal(cluster.story(taskId), "pending pending");
  assert.equal((await cluster.claimOne()).taskId, taskId);
});

Deno.test("claimWork gives nothing to a quarantined worker until the quarantine ends", async () => {
  await using cluster = await Cluster.start();
  await cluster.claim();
  await cluster.create();
  await cluster.ok("queue.quarantineWorker", {
    params: { provisionerId: "prov", workerType: "type", workerGroup: "group", workerId: "worker" },
    body: { quarantineUntil: cluster.clock.timestamp(minuteMs), quarantineInfo: "smells" },
  });
  assert.deepEqual(await cluster.claim(), []);
  await cluster.clock.advance(minuteMs);
  await cluster.claimOne();
});

Deno.test("a claim that ends gives the task to the next worker while retries are left", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ retries: 1 });
  const first = await cluster.claimOne();
  assert.equal(first.takenUntil, cluster.clock.timestamp(20 * minuteMs));
  await cluster.clock.advance(20 * minuteMs - 1);
  assert.equal(cluster.story(taskId), "running running");
  await cluster.clock.advance(1);
  assert.equal(cluster.story(taskId), "exception/claim-expired pending pending");
  assert.equal(cluster.tc.queue.status(taskId).runs[1]?.reasonCreated, "retry");
  await cluster.claimOne();
  await cluster.clock.advance(20 * minuteMs);
  assert.equal(cluster.story(taskId), "exception/claim-expired exception/claim-expired exception");
});

Deno.test("credentials of a claim end with it, and every reclaim gives new ones that last longer", async () => {
  await using cluster = await Cluster.start();
  await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.clock.advance(19 * minuteMs);
  const { takenUntil, credentials } = await cluster.ok<ReclaimResponse>("queue.reclaimTask", {
    params: run,
    as,
  });
  assert.equal(takenUntil, cluster.clock.timestamp(20 * minuteMs));
  const renewed = credentialsFromWire(credentials);
  await cluster.clock.advance(2 * minuteMs);
  assert.equal(await cluster.refusal("queue.reclaimTask", { params: run, as }), "401 AuthenticationFailed");
  await cluster.ok("queue.reclaimTask", { params: run, as: renewed });
});

Deno.test("credentials of a claim allow that run and the task's scopes, and nothing else", async () => {
  await using cluster = await Cluster.start();
  await cluster.create({ scopes: ["secrets:get:mine"] });
  const other = await cluster.create();
  const { as, run } = await cluster.claimOne();
  const otherRun = { taskId: other, runId: "0" };
  assert.equal(
    await cluster.refusal("queue.reportCompleted", { params: otherRun, as }),
    "403 InsufficientScopes",
  );
  assert.equal(
    await cluster.refusal("secrets.get", { params: { name: "other" }, as }),
    "403 InsufficientScopes",
  );
  assert.equal(
    await cluster.refusal("secrets.get", { params: { name: "mine" }, as }),
    "404 ResourceNotFound",
  );
  await cluster.ok("queue.reportCompleted", { params: run, as });
});

Deno.test("K41: reclaimTask is refused from the deadline on, while the run is still accepted as failed", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ deadline: cluster.clock.timestamp(10 * minuteMs) });
  const { run, as } = await cluster.claimOne();
  await cluster.clock.advance(10 * minuteMs);
  assert.equal(await cluster.refusal("queue.reclaimTask", { params: run, as }), "409 RequestConflict");
  assert.equal(cluster.story(taskId), "running running");
  await cluster.ok("queue.reportFailed", { params: run, as });
  assert.equal(cluster.story(taskId), "failed/failed failed");
});

Deno.test("a task is resolved a minute after its deadline, whatever state it is in", async () => {
  await using cluster = await Cluster.start();
  const deadline = cluster.clock.timestamp(10 * minuteMs);
  const running = await cluster.create({ deadline });
  const { run, as } = await cluster.claimOne();
  const pending = await cluster.create({ deadline });
  const unscheduled = await cluster.create({ deadline, dependencies: [running] });
  await cluster.clock.advance(11 * minuteMs - 1);
  assert.equal(cluster.story(running), "running running");
  await cluster.clock.advance(1);
  for (const taskId of [running, pending, unscheduled]) {
    assert.equal(cluster.story(taskId), "exception/deadline-exceeded exception");
  }
  assert.equal(await cluster.refusal("queue.reportCompleted", { params: run, as }), "409 RequestConflict");
  assert.deepEqual(await cluster.claim(), []);
});

Deno.test("claimTask hands out one run, again to the same worker, and to no other", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  const claim = (workerId: string) => ({
    params: { taskId, runId: "0" },
    body: { workerGroup: "group", workerId },
  });
  const first = await cluster.ok<ReclaimResponse>("queue.claimTask", claim("one"));
  const again = await cluster.ok<ReclaimResponse>("queue.claimTask", claim("one"));
  assert.equal(first.takenUntil, again.takenUntil);
  assert.notEqual(first.credentials.accessToken, again.credentials.accessToken);
  assert.equal(await cluster.refusal("queue.claimTask", claim("two")), "409 RequestConflict");
  assert.deepEqual(await cluster.claim(), [], "a claimed run waits no longer");
});

Deno.test("claimWork needs the worker's own scope as well as that of the queue", async () => {
  await using cluster = await Cluster.start();
  const as = cluster.tc.createClient("worker", ["queue:claim-work:prov/type", "queue:worker-id:group/mine"]);
  const claim = (workerId: string) => ({
    params: { taskQueueId: "prov/type" },
    body: { tasks: 1, workerGroup: "group", workerId },
    as,
  });
  await cluster.ok("queue.claimWork", claim("mine"));
  assert.equal(await cluster.refusal("queue.claimWork", claim("yours")), "403 InsufficientScopes");
});

Deno.test("K5: claimWork refuses more than 32 tasks", async () => {
  await using cluster = await Cluster.start();
  const call = { params: { taskQueueId: "prov/type" }, body: { tasks: 33, workerGroup: "g", workerId: "w" } };
  assert.equal(await cluster.refusal("queue.claimWork", call), "400 InputValidationError");
});
