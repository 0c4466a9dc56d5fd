import { strict as assert } from "node:assert";
import { createPurgeCacheService } from "../../src/embedded/purge_cache.ts";
import { dayMs, hourMs, ServiceClock } from "./service_clock.ts";
import { ServiceDriver } from "./service_driver.ts";

function start() {
  const clock = new ServiceClock();
  const service = createPurgeCacheService({ clock });
  const driver = new ServiceDriver(service);
  return {
    clock,
    service,
    driver,
    purge: (workerPoolId: string, cacheName: string) =>
      driver.call("purgeCache", { params: { workerPoolId }, body: { cacheName } }),
    ask: async (workerPoolId: string, query = {}) =>
      (await driver.call("purgeRequests", { params: { workerPoolId }, query })).body["requests"],
  };
}

const pool = { provisionerId: "prov", workerType: "linux" };

Deno.test("purge-cache has a handler for every entry of its reference", () => {
  const { service, driver } = start();
  assert.deepEqual(Object.keys(service.handlers).sort(), driver.entryNames().sort());
});

Deno.test("purgeRequests gives the requests of the pool that asks, and of no other", async () => {
  const { clock, purge, ask } = start();
  await purge("prov/linux", "checkouts");
  await purge("prov/linux-2", "checkouts");
  assert.deepEqual(await ask("prov/linux"), [{ ...pool, cacheName: "checkouts", before: clock.timestamp() }]);
});

Deno.test("purgeCache replaces an earlier request for the same cache", async () => {
  const { clock, purge, ask } = start();
  await purge("prov/linux", "b");
  await purge("prov/linux", "a");
  await clock.advance(hourMs);
  await purge("prov/linux", "b");
  assert.deepEqual(await ask("prov/linux"), [
    { ...pool, cacheName: "a", before: clock.timestamp(-hourMs) },
    { ...pool, cacheName: "b", before: clock.timestamp() },
  ]);
});

Deno.test("purgeRequests leaves out requests made before `since`, and keeps those made at it", async () => {
  const { clock, purge, ask } = start();
  await purge("prov/linux", "old");
  await clock.advance(1);
  await purge("prov/linux", "new");
  const atNew = [{ ...pool, cacheName: "new", before: clock.timestamp() }];
  assert.deepEqual(await ask("prov/linux", { since: clock.timestamp() }), atNew);
  assert.deepEqual(await ask("prov/linux", { since: clock.timestamp(1) }), []);
});

Deno.test("purgeRequests refuses a `since` that is no date, and a pool id without a slash", async () => {
  const { driver } = start();
  const params = { workerPoolId: "prov/linux" };
  assert.equal(await driver.refusal("purgeRequests", { params, query: { since: "soon" } }), "400 InputError");
  assert.equal(
    await driver.refusal("purgeRequests", { params: { workerPoolId: "linux" } }),
    "400 InvalidRequestArguments",
  );
});

Deno.test("purge requests end after 24 hours", async () => {
  const { clock, purge, ask } = start();
  await purge("prov/linux", "checkouts");
  await clock.advance(dayMs - 1);
  assert.equal((await ask("prov/linux") as unknown[]).length, 1);
  await clock.advance(1);
  assert.deepEqual(await ask("prov/linux"), []);
});

Deno.test("allPurgeRequests lists all pools page by page", async () => {
  const { driver, purge } = start();
  for (const workerPoolId of ["a/x", "b/x", "c/x"]) await purge(workerPoolId, "checkouts");
  const first = (await driver.call("allPurgeRequests", { query: { limit: "2" } })).body;
  const continuationToken = String(first["continuationToken"]);
  const second = (await driver.call("allPurgeRequests", { query: { limit: "2", continuationToken } })).body;
  const all = [...first["requests"] as { provisionerId: string }[], ...second["requests"] as typeof pool[]];
  assert.deepEqual(all.map((request) => request.provisionerId), ["a", "b", "c"]);
  assert.equal(second["continuationToken"], undefined);
});

Deno.test("purgeCache asks for the scope of the pool and the cache", async () => {
  const { driver } = start();
  const call = { params: { workerPoolId: "prov/linux" }, body: { cacheName: "checkouts" } };
  await driver.call("purgeCache", { ...call, scopes: ["purge-cache:prov/linux:checkouts"] });
  assert.equal(
    await driver.refusal("purgeCache", { ...call, scopes: ["purge-cache:prov/linux:other"] }),
    "403 InsufficientScopes",
  );
});
