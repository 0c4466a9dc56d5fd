import { strict as assert } from "node:assert";
import { createSecretsService } from "../../src/embedded/secrets.ts";
import { hourMs, ServiceClock } from "./service_clock.ts";
import { ServiceDriver } from "./service_driver.ts";

function start() {
  const clock = new ServiceClock();
  const service = createSecretsService({ clock });
  const driver = new ServiceDriver(service);
  const set = (name: string, secret: unknown, expires = clock.timestamp(hourMs)) =>
    driver.call("set", { params: { name }, body: { secret, expires } });
  return { clock, service, driver, set };
}

Deno.test("secrets has a handler for every entry of its reference", () => {
  const { service, driver } = start();
  assert.deepEqual(Object.keys(service.handlers).sort(), driver.entryNames().sort());
});

Deno.test("get gives what set stored, under a name with slashes and colons", async () => {
  const { clock, driver, set } = start();
  const params = { name: "project/thing:worker pool" };
  await set(params.name, { first: 1 });
  await set(params.name, { password: "hunter2", deep: { list: [1, null] } });
  assert.deepEqual((await driver.call("get", { params })).body, {
    secret: { password: "hunter2", deep: { list: [1, null] } },
    expires: clock.timestamp(hourMs),
  });
});

Deno.test("get answers 404 for a secret that never was, 410 for an expired one", async () => {
  const { clock, driver, set } = start();
  await set("brief", { a: 1 });
  assert.equal(await driver.refusal("get", { params: { name: "absent" } }), "404 ResourceNotFound");
  await clock.advance(hourMs);
  assert.equal(await driver.refusal("get", { params: { name: "brief" } }), "410 ResourceExpired");
});

Deno.test("remove forgets a secret and does not mind an absent one", async () => {
  const { driver, set } = start();
  const params = { name: "gone" };
  await set(params.name, {});
  await driver.call("remove", { params });
  await driver.call("remove", { params });
  assert.equal(await driver.refusal("get", { params }), "404 ResourceNotFound");
});

Deno.test("list gives the names of living secrets in order, never their values", async () => {
  const { clock, driver, set } = start();
  await set("b", { key: "value" });
  await set("expired", {}, clock.timestamp(-1));
  await set("a", {});
  assert.deepEqual((await driver.call("list")).body, { secrets: ["a", "b"] });
});

Deno.test("the secret store does not show values when it is printed", async () => {
  const { service, set } = start();
  await set("a", { password: "hunter2" });
  assert.ok(!Deno.inspect(service.secrets.get("a")).includes("hunter2"));
  assert.ok(!JSON.stringify(service.secrets.get("a")).includes("hunter2"));
});

Deno.test("set refuses a secret that is no object", async () => {
  const { driver, clock } = start();
  const body = { secret: "text", expires: clock.timestamp(hourMs) };
  assert.equal(await driver.refusal("set", { params: { name: "a" }, body }), "400 InputValidationError");
});
