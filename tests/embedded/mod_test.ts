import { strict as assert } from "node:assert";
import { systemClock } from "../../src/base/clock.ts";
import { startEmbeddedTaskcluster } from "../../src/embedded/mod.ts";
import { Cluster, type RefusalBody, slugid } from "./cluster.ts";

Deno.test("startEmbeddedTaskcluster leaves nothing behind when it stops: no timer, no connection, no directory", async () => {
  const tc = await startEmbeddedTaskcluster({ clock: systemClock });
  const taskId = tc.queue.createTask({ payload: {} });
  const claiming = fetch(`${tc.rootUrl}/api/queue/v1/task/${taskId}`);
  await (await claiming).body?.cancel();
  const key = { bucket: "public-artifacts", key: "x" };
  await tc.services.store.write(key, new Uint8Array(3), { contentType: "text/plain" });
  const { path } = tc.services.store.find(key) ?? assert.fail();
  await tc.stop();
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("startEmbeddedTaskcluster refuses a port that is taken", async () => {
  await using cluster = await Cluster.start();
  const port = Number(new URL(cluster.tc.rootUrl).port);
  await assert.rejects(startEmbeddedTaskcluster({ port }), Deno.errors.AddrInUse);
});

Deno.test("the queue inside the process tells the status of a task when it is resolved", async () => {
  await using cluster = await Cluster.start();
  const taskId = cluster.tc.queue.createTask({ taskQueueId: "prov/type", payload: {} });
  const states: string[] = [];
  const stop = cluster.tc.queue.onChange(({ state }) => states.push(state));
  const resolved = cluster.tc.queue.resolved(taskId);
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportFailed", { params: run, as });
  assert.equal((await resolved).state, "failed");
  assert.equal((await cluster.tc.queue.resolved(taskId)).state, "failed");
  stop();
  cluster.tc.queue.createTask({ payload: {} });
  assert.deepEqual(states, ["running", "failed"]);
});

Deno.test("waiting for a task ends with its signal", async () => {
  await using cluster = await Cluster.start();
  const taskId = cluster.tc.queue.createTask({ payload: {} });
  const impatient = new AbortController();
  const waiting = cluster.tc.queue.resolved(taskId, { signal: impatient.signal });
  impatient.abort(new Error("no more time"));
  await assert.rejects(waiting, /no more time/);
});

Deno.test("artifacts are read from inside the process, decoded", async () => {
  await using cluster = await Cluster.start();
  const taskId = cluster.tc.queue.createTask({ taskQueueId: "prov/type", payload: {} });
  const { run, as } = await cluster.claimOne();
  const { putUrl } = await cluster.ok<{ putUrl: string }>("queue.createArtifact", {
    params: { ...run, name: "public/log" },
    as,
    body: { storageType: "s3", contentType: "text/plain", expires: cluster.clock.timestamp(1000) },
  });
  const packed = new Response("text").body?.pipeThrough(new CompressionStream("gzip"));
  const body = await new Response(packed).arrayBuffer();
  const headers = { "content-type": "text/plain", "content-encoding": "gzip" };
  await (await fetch(putUrl, { method: "PUT", body, headers })).body?.cancel();
  assert.equal(new TextDecoder().decode(await cluster.tc.queue.read(taskId, "public/log")), "text");
  assert.deepEqual(cluster.tc.queue.artifacts(taskId).map(({ name }) => name), ["public/log"]);
});

Deno.test("errors have the shape of the real services'", async () => {
  await using cluster = await Cluster.start();
  const taskId = slugid();
  const { status, body } = await cluster.call<RefusalBody>("queue.task", { params: { taskId } });
  assert.equal(status, 404);
  assert.equal(body.code, "ResourceNotFound");
  assert.match(body.message, /^Task \S+ not found[^]*\n---\n[^]*\* statusCode: 404/);
  assert.deepEqual(body.requestInfo, {
    method: "task",
    params: { taskId },
    payload: {},
    time: cluster.clock.timestamp(),
  });
});

Deno.test("a request that lacks scopes is told which", async () => {
  await using cluster = await Cluster.start();
  const as = cluster.tc.createClient("weak", []);
  const { status, body } = await cluster.call<RefusalBody>("secrets.get", { params: { name: "a" }, as });
  assert.equal(status, 403);
  assert.match(body.message, /Client ID weak [^]*"secrets:get:a"/);
});

const malformed: [string, number, RequestInit & { path?: string }][] = [
  ["no JSON", 400, { body: "{", headers: { "content-type": "application/json" } }],
  ["another content type", 400, { body: "{}", headers: { "content-type": "text/plain" } }],
  ["no body", 400, {}],
  ["more than ten megabytes", 413, {
    body: JSON.stringify("x".repeat(10_500_000)),
    headers: { "content-type": "application/json" },
  }],
  ["an unknown query parameter", 400, {
    path: "?wait=1",
    body: "{}",
    headers: { "content-type": "application/json" },
  }],
  ["an unknown path", 404, { path: "/x/y" }],
];
for (const [what, expected, { path = "", ...init }] of malformed) {
  Deno.test(`a request with ${what} is refused with ${expected}`, async () => {
    await using cluster = await Cluster.start();
    const url = `${cluster.tc.rootUrl}/api/queue/v1/claim-work/p%2Ft${path}`;
    const response = await fetch(url, { method: "POST", ...init });
    const { code } = await response.json();
    assert.equal(response.status, expected);
    assert.notEqual(code, "InternalServerError");
  });
}

Deno.test("browsers may call the services from any page", async () => {
  await using cluster = await Cluster.start();
  const preflight = await fetch(`${cluster.tc.rootUrl}/api/queue/v1/ping`, { method: "OPTIONS" });
  await preflight.body?.cancel();
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /Authorization/);
  const answer = await cluster.call("queue.ping");
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
});

Deno.test("an answer that does not fit the reference is a bug that tests see", async () => {
  await using cluster = await Cluster.start();
  const taskId = cluster.tc.queue.createTask({ payload: {}, metadata: { name: "only a name" } });
  assert.equal(await cluster.refusal("queue.task", { params: { taskId } }), "500 InternalServerError");
  assert.match(cluster.expectedBugs().join(), /queue\.task gave an invalid answer/);
});

Deno.test("the index redirects to private artifacts with a signature of its own", async () => {
  await using cluster = await Cluster.start();
  const taskId = cluster.tc.queue.createTask({ taskQueueId: "prov/type", payload: {} });
  const { run, as } = await cluster.claimOne();
  const expires = cluster.clock.timestamp(1000);
  await cluster.ok("queue.createArtifact", {
    params: { ...run, name: "private/r" },
    as,
    body: { storageType: "reference", contentType: "text/plain", url: "https://example.com/r", expires },
  });
  await cluster.ok("index.insertTask", {
    params: { namespace: "a.b" },
    body: { taskId, rank: 0, data: {}, expires },
  });
  const params = { indexPath: "a.b", name: "private/r" };
  const { headers } = await cluster.call("index.findArtifactFromTask", { params });
  const { pathname, search } = new URL(headers.get("location") ?? "");
  const found = await cluster.request("GET", pathname + search, { as: null });
  assert.deepEqual([found.status, found.headers.get("location")], [303, "https://example.com/r"]);
});
