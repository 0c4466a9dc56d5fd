import { strict as assert } from "node:assert";
import fc from "fast-check";
import type { Build } from "../../src/base/build.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import { d2gSettings } from "../../src/config/d2g_settings.ts";
import { loadConfig } from "../../src/config/load_config.ts";
import { settings } from "../../src/config/settings.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { insecure, minimal, multiuser } from "./samples.ts";

async function load(document: object | string, build: Build = insecure): Promise<Config> {
  using directory = new TemporaryDirectory();
  const path = directory.at("generic-worker.config");
  Deno.writeTextFileSync(path, typeof document === "string" ? document : JSON.stringify(document));
  return await loadConfig(path, build);
}

async function refusal(document: object | string, build: Build = insecure): Promise<ConfigError> {
  try {
    await load(document, build);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(document)} is accepted`);
}

Deno.test("loadConfig() fills in the defaults", async () => {
  const config = await load(minimal);
  assert.equal(config.accessToken.reveal(), "token");
  assert.equal(config.certificate.reveal(), "");
  assert.equal(config.provisionerId, "test-provisioner");
  assert.equal(config.tasksDir, "tasks");
  assert.equal(config.headlessTasks, false);
  assert.equal(config.enableRunTaskAsCurrentUser, false, "what a build does not know is off there");
  assert.equal(config.d2gConfig.gpus, "all");
});

Deno.test("loadConfig() knows where each operating system keeps its users", async () => {
  const document = { ...minimal, ed25519SigningKeyLocation: "key" };
  const expected = { linux: "/home", freebsd: "/home", darwin: "/Users", windows: "C:\\Users" };
  for (const os of ["linux", "freebsd", "darwin", "windows"] as const) {
    assert.equal((await load(document, { engine: "multiuser", os })).tasksDir, expected[os]);
  }
});

Deno.test("loadConfig() takes secrets out of sight", async () => {
  const config = await load({ ...minimal, certificate: "{}" });
  assert.ok(config.accessToken instanceof Secret && config.certificate instanceof Secret);
  assert.ok(!JSON.stringify(config).includes('"token"'));
});

Deno.test("K14: loadConfig() takes names in any case, and a file value wins over a default whatever its case", async () => {
  const config = await load({
    ...minimal,
    instanceID: "i-1",
    WORKERTYPEMETADATA: { a: 1 },
    Capacity: 4,
    D2GConfig: { ENABLED2G: true },
  });
  assert.equal(config.instanceId, "i-1");
  assert.deepEqual(config.workerTypeMetadata, { a: 1 });
  assert.equal(config.capacity, 4);
  assert.equal(config.d2gConfig.enableD2G, true);
});

Deno.test("loadConfig() takes null as the default, for every setting", async () => {
  const nulls = Object.fromEntries(
    settings.filter((row) => !("where" in row) || row.where.systems?.[0] === "linux")
      .map(({ name }) => [name, null]),
  );
  assert.deepEqual(await load({ ...nulls, ...minimal }), await load(minimal));
  const d2gConfig = Object.fromEntries(d2gSettings.map(({ name }) => [name, null]));
  assert.deepEqual(await load({ ...minimal, d2gConfig }), await load(minimal));
});

Deno.test("loadConfig() merges d2gConfig over its defaults", async () => {
  const { d2gConfig } = await load({ ...minimal, d2gConfig: { enableD2G: true, allowKVM: false } });
  assert.deepEqual(d2gConfig, {
    enableD2G: true,
    allowChainOfTrust: true,
    allowDisableSeccomp: true,
    allowGPUs: false,
    allowHostSharedMemory: true,
    allowInteractive: true,
    allowKVM: false,
    allowLoopbackAudio: true,
    allowLoopbackVideo: true,
    allowPrivileged: true,
    allowPtrace: true,
    allowTaskclusterProxy: true,
    gpus: "all",
    logTranslation: true,
  });
});

Deno.test("loadConfig() keeps metadata as it is, names like __proto__ included", async () => {
  const text = JSON.stringify(minimal).replace(
    /\}$/,
    ', "workerTypeMetadata": {"__proto__": {"x": 1}, "n": [1.5, null]}}',
  );
  const { workerTypeMetadata } = await load(text);
  assert.equal(JSON.stringify(workerTypeMetadata), '{"__proto__":{"x":1},"n":[1.5,null]}');
});

Deno.test("loadConfig() writes IP addresses in their usual form", async () => {
  const cases: [string, string][] = [
    ["1.2.3.4", "1.2.3.4"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["", ""],
  ];
  for (const [written, expected] of cases) {
    assert.equal((await load({ ...minimal, publicIP: written })).publicIP, expected);
  }
  for (
    const written of ["257.1.2.1", "1.2.3", "01.2.3.4", "fe80::1%eth0", "localhost", " 1.2.3.4", "[::1]"]
  ) {
    const error = await refusal({ ...minimal, privateIP: written });
    assert.equal(error.exitCode, 64);
    assert.ok(error.message.includes(`invalid IP address: ${written}`), error.message);
  }
});

Deno.test("loadConfig() takes whole numbers within the setting's limits and written as such only", async () => {
  const limits: [string, string][] = [
    ["capacity", "255"],
    ["livelogPortBase", "60098"],
    ["loopbackVideoDeviceNumber", "255"],
    ["maxTaskRunTime", "4294967295"],
    ["requiredDiskSpaceMegabytes", "18446744073709551615"],
    ["minAvailableMemoryBytes", "18446744073709551615"],
  ];
  const document = (name: string, literal: string) =>
    JSON.stringify({ ...minimal, enableInteractive: false }).replace(/\}$/, `, "${name}": ${literal}}`);
  for (const [name, largest] of limits) {
    const config = await load(document(name, largest));
    assert.equal(config[name as keyof Config], Number(largest));
    const beyond = name === "livelogPortBase" ? "65536" : String(BigInt(largest) + 1n);
    for (const literal of [beyond, "-1", "-0", "1.0", "1e1", "1.5", '"1"', "true", "[]", "{}"]) {
      const error = await refusal(document(name, literal));
      assert.equal(error.exitCode, 64, `${name} ${literal}`);
      assert.ok(error.message.includes(`into ${name} of type uint`), error.message);
    }
  }
});

Deno.test("loadConfig() names missing settings in the order of the existing worker, which names one", async () => {
  const order = [
    "accessToken",
    "cachesDir",
    "clientId",
    "downloadsDir",
    "ed25519SigningKeyLocation",
    "livelogExecutable",
    "provisionerId",
    "rootURL",
    "tasksDir",
    "workerGroup",
    "workerId",
    "workerType",
  ];
  const empty = Object.fromEntries(order.map((name) => [name, ""]));
  for (let count = 0; count < order.length; count++) {
    const filled = Object.fromEntries(order.slice(0, count).map((name) => [name, "x"]));
    const error = await refusal({ ...empty, ...filled }, multiuser);
    assert.equal(error.exitCode, 73);
    assert.equal(/"(\w+)" needs a value/.exec(error.message)?.[1], order[count]);
  }
  const error = await refusal({});
  const required = order.filter((name) => name in minimal);
  assert.deepEqual([...error.message.matchAll(/"(\w+)" needs a value/g)].map((match) => match[1]), required);
});

Deno.test("K32: loadConfig() demands a signing key only where something is signed with it", async () => {
  await load(minimal, insecure);
  await load({ ...minimal, enableChainOfTrust: false }, multiuser);
  const error = await refusal(minimal, multiuser);
  assert.equal(error.exitCode, 73);
  assert.match(error.message, /"ed25519SigningKeyLocation" needs a value/);
});

Deno.test("loadConfig() wants a capacity of at least 1, and headless tasks for more on the multiuser engine", async () => {
  const key = { ed25519SigningKeyLocation: "key" };
  assert.equal((await refusal({ ...minimal, capacity: 0 })).exitCode, 73);
  assert.equal((await load({ ...minimal, capacity: 5 })).capacity, 5);
  const error = await refusal({ ...minimal, ...key, capacity: 2 }, multiuser);
  assert.equal(error.exitCode, 73);
  assert.match(error.message, /"capacity" 2 needs "headlessTasks": true/);
  assert.equal((await load({ ...minimal, ...key, capacity: 2, headlessTasks: true }, multiuser)).capacity, 2);
});

Deno.test("loadConfig() refuses port ranges that pass the last port", async () => {
  const error = await refusal({ ...minimal, capacity: 3, livelogPortBase: 65527 });
  assert.equal(error.exitCode, 73);
  assert.match(error.message, /"livelogPortBase" is too high: with "capacity" 3 its ports are 65527-65536/);
  await load({ ...minimal, capacity: 3, livelogPortBase: 65526 });
  await load({ ...minimal, capacity: 3, livelogPortBase: 65527, enableLiveLog: false });
});

Deno.test("loadConfig() refuses port ranges that overlap, also with capacity 1", async () => {
  const error = await refusal({ ...minimal, livelogPortBase: 5000, interactivePort: 5001 });
  assert.equal(error.exitCode, 73);
  assert.match(
    error.message,
    /port range overlap detected.*"livelogPortBase" uses 5000-5001.*"interactivePort" uses 5001-5001.*at least 2 above/,
  );
  await load({ ...minimal, livelogPortBase: 5000, interactivePort: 5002 });
  const many = { ...minimal, capacity: 2, taskclusterProxyPort: 5000 };
  assert.match(
    (await refusal({ ...many, interactivePort: 5004 })).message,
    /overlap.*5000-5004.*5004-5008.*at least 5 above/,
  );
  await load({ ...many, interactivePort: 5005 });
  await load({ ...many, interactivePort: 5004, enableInteractive: false });
  await load({ ...many, interactivePort: 5004, enableTaskclusterProxy: false });
});

Deno.test("loadConfig() says which file can't be read and why", async () => {
  using directory = new TemporaryDirectory();
  for (const path of [directory.at("missing"), directory.path]) {
    await assert.rejects(loadConfig(path, insecure), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.exitCode, 64);
      return error.message.startsWith(`Cannot use config file ${path}: the file can't be read: `);
    });
  }
});

Deno.test("loadConfig() passes doubts on and loads all the same", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("config");
  Deno.writeTextFileSync(path, JSON.stringify({ ...minimal, workerId: "not a name" }));
  const warnings: string[] = [];
  const config = await loadConfig(path, { ...insecure, warn: (message) => void warnings.push(message) });
  assert.equal(config.workerId, "not a name");
  assert.equal(warnings.length, 1);
  assert.ok(warnings[0]?.startsWith(`Config file ${path}: 1:`));
});

Deno.test("loadConfig() gives a config or a ConfigError for any text", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("config");
  const name = fc.oneof(
    fc.constantFrom(...settings.map((row) => row.name), ...settings.map((row) => row.name.toUpperCase())),
    fc.string({ maxLength: 5 }),
    fc.constantFrom("__proto__", "constructor", "toString", ""),
  );
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.boolean(), fc.string(), fc.constant(null));
  const document = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((members) =>
    `{${members.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`).join(",")}}`
  );
  const damaged = fc.tuple(document, fc.nat(), fc.string({ maxLength: 3 }))
    .map(([text, at, junk]) =>
      text.slice(0, at % (text.length + 1)) + junk + text.slice(at % (text.length + 1))
    );
  const text = fc.oneof(document, damaged, fc.json(), fc.string());
  await fc.assert(
    fc.asyncProperty(text, async (written) => {
      await Deno.writeTextFile(path, written);
      for (const build of [insecure, multiuser]) {
        try {
          const config = await loadConfig(path, build);
          assert.ok(config.accessToken instanceof Secret);
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.ok(error.exitCode === 64 || error.exitCode === 73);
        }
        if (!isJson(written)) await assert.rejects(loadConfig(path, build), { exitCode: 64 });
      }
    }),
    { numRuns: 400, seed: 400 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
    return true;
  } catch {
    return false;
  }
}
