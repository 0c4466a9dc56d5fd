import { strict as assert } from "node:assert";
import { createWorkerManagerService, type QueueWorker } from "../../src/embedded/worker_manager.ts";
import { dayMs, hourMs, ServiceClock } from "./service_clock.ts";
import { ServiceDriver } from "./service_driver.ts";

const workerPoolId = "prov/linux";
const key = { workerPoolId, workerGroup: "lab", workerId: "box-1" };
const staticSecret = "s".repeat(44);
const definition = {
  providerId: "static",
  description: "Machines under the desk",
  config: { workerConfig: { capacity: 2 }, lifecycle: { reregistrationTimeout: 3600 } },
  owner: "someone@example.com",
  emailOnError: false,
};
const counts = {
  currentCapacity: 0,
  requestedCount: 0,
  runningCount: 0,
  stoppingCount: 0,
  stoppedCount: 0,
  requestedCapacity: 0,
  runningCapacity: 0,
  stoppingCapacity: 0,
  stoppedCapacity: 0,
};

function start(queueWorkers: QueueWorker[] = []) {
  const clock = new ServiceClock();
  const grants: { clientId: string; scopes: string[]; expiresMs: number }[] = [];
  const service = createWorkerManagerService({
    clock,
    issueCredentials: (grant) => {
      grants.push(grant);
      return { clientId: grant.clientId, accessToken: `token ${grants.length}`, certificate: "{}" };
    },
    queueWorkers: (pool) => pool === workerPoolId ? queueWorkers : [],
  });
  const driver = new ServiceDriver(service);
  const createPool = () => driver.call("createWorkerPool", { params: { workerPoolId }, body: definition });
  const createWorker = () =>
    driver.call("createWorker", {
      params: key,
      body: { expires: clock.timestamp(dayMs), capacity: 3, providerInfo: { staticSecret } },
    });
  const registration = (change = {}) => ({
    body: { ...key, providerId: "static", workerIdentityProof: { staticSecret }, ...change },
    scopes: [],
  });
  return { clock, grants, service, driver, createPool, createWorker, registration };
}

Deno.test("worker-manager has a handler for every entry of its reference", () => {
  const { service, driver } = start();
  assert.deepEqual(Object.keys(service.handlers).sort(), driver.entryNames().sort());
});

Deno.test("worker pools are created once, read, changed, listed and deleted", async () => {
  const { clock, driver, createPool } = start();
  const params = { workerPoolId };
  const times = { created: clock.timestamp(), lastModified: clock.timestamp() };
  const expected = { workerPoolId, ...definition, ...times, ...counts };
  assert.deepEqual((await createPool()).body, expected);
  assert.equal(await driver.refusal("createWorkerPool", { params, body: definition }), "409 RequestConflict");
  await clock.advance(hourMs);
  const changed = { ...expected, description: "Moved to the rack", lastModified: clock.timestamp() };
  const body = { ...definition, description: "Moved to the rack" };
  assert.deepEqual((await driver.call("updateWorkerPool", { params, body })).body, changed);
  assert.deepEqual((await driver.call("workerPool", { params })).body, changed);
  assert.deepEqual((await driver.call("listWorkerPools")).body, { workerPools: [changed] });
  await driver.call("deleteWorkerPool", { params });
  for (const name of ["workerPool", "deleteWorkerPool"]) {
    assert.equal(await driver.refusal(name, { params }), "404 ResourceNotFound");
  }
  assert.equal(await driver.refusal("updateWorkerPool", { params, body }), "404 ResourceNotFound");
});

Deno.test("createWorkerPool refuses unknown providers, bad ids, and callers who may not use the provider", async () => {
  const { driver } = start();
  const params = { workerPoolId };
  const refusal = (call: object) => driver.refusal("createWorkerPool", { params, body: definition, ...call });
  assert.equal(await refusal({ body: { ...definition, providerId: "cloud" } }), "400 InputError");
  assert.equal(await refusal({ params: { workerPoolId: "prov/Linux" } }), "400 InputError");
  const scopes = [`worker-manager:manage-worker-pool:${workerPoolId}`];
  assert.equal(await refusal({ scopes }), "403 InsufficientScopes");
});

Deno.test("registerWorker turns the static secret into credentials, the pool's config and a new secret", async () => {
  const { clock, grants, driver, createPool, createWorker, registration } = start();
  await createPool();
  await createWorker();
  const { body } = await driver.call("registerWorker", registration());
  assert.deepEqual(body["workerConfig"], { capacity: 2 });
  assert.equal(body["expires"], clock.timestamp(hourMs), "the pool's reregistrationTimeout");
  assert.notEqual(body["secret"], staticSecret);
  const [grant] = grants;
  assert.deepEqual([grant?.clientId, grant?.expiresMs], [
    "worker/static/prov/linux/lab/box-1",
    clock.nowMs() + hourMs,
  ]);
  for (const scope of ["queue:claim-work:prov/linux", "queue:worker-id:lab/box-1"]) {
    assert.ok(grant?.scopes.includes(scope), scope);
  }
});

Deno.test("registerWorker refuses unknown pools and workers, another provider and a wrong secret", async () => {
  const { driver, createPool, createWorker, registration } = start();
  assert.equal(await driver.refusal("registerWorker", registration()), "404 ResourceNotFound");
  await createPool();
  assert.equal(await driver.refusal("registerWorker", registration()), "404 ResourceNotFound");
  await createWorker();
  const wrong = { workerIdentityProof: { staticSecret: "w".repeat(44) } };
  assert.equal(await driver.refusal("registerWorker", registration(wrong)), "400 InputError");
  const other = { providerId: "null-provider" };
  assert.equal(await driver.refusal("registerWorker", registration(other)), "400 InputError");
  const cloudProof = { workerIdentityProof: { token: "t" } };
  assert.equal(await driver.refusal("registerWorker", registration(cloudProof)), "400 InputError");
});

Deno.test("reregisterWorker takes each secret once", async () => {
  const { grants, driver, createPool, createWorker, registration } = start();
  await createPool();
  await createWorker();
  const first = (await driver.call("registerWorker", registration())).body["secret"];
  const scopes = ["worker-manager:reregister-worker:prov/linux/lab/box-1"];
  const body = { ...key, secret: first };
  const second = (await driver.call("reregisterWorker", { body, scopes })).body["secret"];
  assert.notEqual(second, first);
  assert.equal(grants.length, 2);
  assert.equal(await driver.refusal("reregisterWorker", { body, scopes }), "400 InputError");
  const foreign = { ...body, workerId: "box-2" };
  assert.equal(await driver.refusal("reregisterWorker", { body: foreign, scopes }), "403 InsufficientScopes");
});

Deno.test("shouldWorkerTerminate answers what the test decided, and 404 for unknown and removed workers", async () => {
  const { service, driver, createPool, createWorker } = start();
  const terminate = async () => (await driver.call("shouldWorkerTerminate", { params: key })).body;
  assert.equal(await driver.refusal("shouldWorkerTerminate", { params: key }), "404 ResourceNotFound");
  await createPool();
  await createWorker();
  assert.equal((await terminate())["terminate"], false);
  const decision = { terminate: true, reason: "too many workers" };
  service.registry.setTermination(key, decision);
  assert.deepEqual(await terminate(), decision);
  await driver.call("removeWorker", { params: key });
  assert.equal(await driver.refusal("shouldWorkerTerminate", { params: key }), "404 ResourceNotFound");
  assert.equal(await driver.refusal("removeWorker", { params: key }), "404 ResourceNotFound");
});

Deno.test("a worker's description does not contain its secret", async () => {
  const { clock, driver, createPool, createWorker } = start();
  await createPool();
  const { body } = await createWorker();
  const times = {
    created: clock.timestamp(),
    lastModified: clock.timestamp(),
    lastChecked: clock.timestamp(),
  };
  const facts = {
    ...key,
    providerId: "static",
    state: "running",
    capacity: 3,
    expires: clock.timestamp(dayMs),
  };
  assert.deepEqual(body, { ...facts, ...times });
  assert.deepEqual((await driver.call("worker", { params: key })).body, body);
});

Deno.test("workers are created once, need a secret, and end when they expire", async () => {
  const { clock, driver, createPool, createWorker } = start();
  await createPool();
  const body = { expires: clock.timestamp(dayMs) };
  assert.equal(await driver.refusal("createWorker", { params: key, body }), "400 InputError");
  await createWorker();
  const again = { expires: clock.timestamp(dayMs), providerInfo: { staticSecret } };
  assert.equal(await driver.refusal("createWorker", { params: key, body: again }), "409 RequestConflict");
  const later = { expires: clock.timestamp(2 * dayMs) };
  assert.equal((await driver.call("updateWorker", { params: key, body: later })).body["capacity"], 3);
  await clock.advance(dayMs);
  await driver.call("worker", { params: key });
  await clock.advance(dayMs);
  assert.equal(await driver.refusal("worker", { params: key }), "404 ResourceNotFound");
});

Deno.test("workers are listed by pool, by group and by state, and counted in their pool", async () => {
  const { service, driver, createPool } = start();
  await createPool();
  service.registry.setWorker(key, { capacity: 4 });
  service.registry.setWorker({ ...key, workerId: "box-2" }, { state: "stopping" });
  service.registry.setWorker({ ...key, workerGroup: "attic" });
  service.registry.setWorker({ ...key, workerPoolId: "prov/other" });
  const ids = async (name: string, call: object) => {
    const { workers } = (await driver.call(name, call)).body;
    return (workers as { workerGroup: string; workerId: string }[]).map((w) =>
      `${w.workerGroup}/${w.workerId}`
    );
  };
  const params = { workerPoolId };
  assert.deepEqual(await ids("listWorkersForWorkerPool", { params }), [
    "attic/box-1",
    "lab/box-1",
    "lab/box-2",
  ]);
  assert.deepEqual(await ids("listWorkersForWorkerPool", { params, query: { state: "stopping" } }), [
    "lab/box-2",
  ]);
  const group = { workerPoolId, workerGroup: "attic" };
  assert.deepEqual(await ids("listWorkersForWorkerGroup", { params: group }), ["attic/box-1"]);
  assert.deepEqual((await driver.call("listWorkerPoolsStats")).body["workerPoolsStats"], [{
    ...counts,
    workerPoolId,
    currentCapacity: 5,
    runningCount: 2,
    runningCapacity: 5,
    stoppingCount: 1,
    stoppingCapacity: 1,
  }]);
});

Deno.test("workers that only the queue knows are listed as standalone, with their latest task", async () => {
  const startMs = new ServiceClock().nowMs();
  const recentTasks = [{ taskId: "AAAAAAAAQAGAAAAAAAAAAA", runId: 0 }, {
    taskId: "BBBBBBBBQBGBBBBBBBBBBA",
    runId: 1,
  }];
  const seen = { firstClaimMs: startMs, lastActiveMs: startMs, expiresMs: startMs + dayMs, recentTasks };
  const { clock, service, driver } = start([
    { ...seen, workerGroup: "lab", workerId: "box-2", quarantineUntilMs: startMs + hourMs },
    { ...seen, workerGroup: "lab", workerId: "box-1", recentTasks: [] },
  ]);
  service.registry.setWorker(key, { capacity: 2 });
  const params = { provisionerId: "prov", workerType: "linux" };
  const common = {
    workerPoolId,
    workerGroup: "lab",
    firstClaim: clock.timestamp(),
    lastDateActive: clock.timestamp(),
  };
  const standalone = {
    ...common,
    workerId: "box-2",
    state: "standalone",
    capacity: 0,
    quarantineUntil: clock.timestamp(hourMs),
  };
  assert.deepEqual((await driver.call("listWorkers", { params })).body["workers"], [
    { ...common, workerId: "box-1", state: "running", capacity: 2, providerId: "static" },
    { ...standalone, latestTask: recentTasks[1] },
  ]);
  const quarantined = await driver.call("listWorkers", { params, query: { quarantined: "true" } });
  assert.equal((quarantined.body["workers"] as unknown[]).length, 1);
  const one = { ...params, workerGroup: "lab", workerId: "box-2" };
  assert.deepEqual((await driver.call("getWorker", { params: one })).body, {
    ...standalone,
    ...params,
    recentTasks,
    expires: clock.timestamp(dayMs),
  });
  assert.equal(
    await driver.refusal("getWorker", { params: { ...one, workerId: "box-3" } }),
    "404 ResourceNotFound",
  );
});

Deno.test("reportWorkerError keeps errors for listing, the latest first, and for statistics", async () => {
  const { clock, driver, createPool } = start();
  const params = { workerPoolId };
  const report = (title: string) => ({
    params,
    body: {
      workerGroup: "lab",
      workerId: "box-1",
      kind: "worker-error",
      title,
      description: "d",
      extra: { a: 1 },
    },
    scopes: ["assume:worker-pool:prov/linux", "assume:worker-id:lab/box-1"],
  });
  assert.equal(await driver.refusal("reportWorkerError", report("early")), "404 ResourceNotFound");
  await createPool();
  const { body: first } = await driver.call("reportWorkerError", report("first"));
  assert.deepEqual(first["extra"], { a: 1, workerGroup: "lab", workerId: "box-1" });
  for (const title of ["second", "third"]) await driver.call("reportWorkerError", report(title));
  const list = async (query: Record<string, string>) =>
    (await driver.call("listWorkerPoolErrors", { params, query })).body;
  const page = await list({ limit: "2" });
  const next = await list({ limit: "2", continuationToken: String(page["continuationToken"]) });
  const titles = [page, next].flatMap((part) => part["workerPoolErrors"] as { title: string }[]).map((e) =>
    e.title
  );
  assert.deepEqual(titles, ["third", "second", "first"]);
  assert.deepEqual((await list({ errorId: String(first["errorId"]) }))["workerPoolErrors"], [first]);
  const stats = await driver.call("workerPoolErrorStats", { query: { workerPoolId } });
  assert.deepEqual(stats.body["totals"], {
    total: 3,
    daily: { [clock.timestamp().slice(0, 10)]: 3 },
    hourly: { [clock.timestamp().slice(0, 13)]: 3 },
    title: { first: 1, second: 1, third: 1 },
    code: { other: 3 },
    launchConfig: {},
    workerPool: { [workerPoolId]: 3 },
  });
  const foreign = {
    ...report("foreign"),
    scopes: ["assume:worker-pool:prov/linux", "assume:worker-id:lab/box-2"],
  };
  assert.equal(await driver.refusal("reportWorkerError", foreign), "403 InsufficientScopes");
});
