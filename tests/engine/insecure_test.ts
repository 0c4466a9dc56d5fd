import assert from "node:assert/strict";
import { isAbsolute, join } from "node:path";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/insecure.ts";
import { createPlatform } from "../../src/platform/linux/mod.ts";

async function withEngine(
  test: (engine: Engine, tasksDirectory: string) => Promise<void>,
  environment: Record<string, string> = {},
): Promise<void> {
  const base = await Deno.makeTempDir();
  const tasksDirectory = join(base, "tasks");
  try {
    await test(createEngine({ platform: createPlatform(), tasksDirectory, environment }), tasksDirectory);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

Deno.test("createContext() makes the task directory for everybody the umask lets in", () =>
  withEngine(async (engine, tasksDirectory) => {
    const context = await engine.createContext({ directoryName: "task_abc_0" });
    assert.equal(context.directory, join(tasksDirectory, "task_abc_0"));
    const mode = (await Deno.stat(context.directory)).mode ?? 0;
    assert.equal(mode & 0o777, 0o777 & ~Deno.umask());
    assert.equal(context.identity, undefined);
  }));

Deno.test("K24: the task directory is absolute although tasksDir is relative", async () => {
  const tasksDirectory = join(".", `tmp-tasks-${crypto.randomUUID()}`);
  const engine = createEngine({ platform: createPlatform(), tasksDirectory, environment: {} });
  const context = await engine.createContext({ directoryName: "task_abc_0" });
  assert(isAbsolute(context.directory));
  await context.dispose();
  await Deno.remove(tasksDirectory);
});

Deno.test("createContext() refuses a directory that is there already", () =>
  withEngine(async (engine) => {
    await engine.createContext({ directoryName: "task_abc_0" });
    await assert.rejects(engine.createContext({ directoryName: "task_abc_0" }), Deno.errors.AlreadyExists);
    await engine.createContext({ directoryName: "task_abc_1" });
  }));

Deno.test("dispose() removes the directory with all that is in it, and may come twice", () =>
  withEngine(async (engine, tasksDirectory) => {
    const context = await engine.createContext({ directoryName: "task_abc_0" });
    await Deno.mkdir(join(context.directory, "a/b"), { recursive: true });
    await Deno.writeTextFile(join(context.directory, "a/b/file"), "");
    await context.dispose();
    await context.dispose();
    assert.deepEqual([...Deno.readDirSync(tasksDirectory)], []);
  }));

Deno.test("baseEnvironment() withholds what speaks for the worker (weakness 02 §12.14)", () => {
  const kept = { PATH: "/bin", HOME: "/root", TASKCLUSTER_ROOT_URL: "https://tc.example", LANG: "C" };
  const secrets = {
    TASKCLUSTER_ACCESS_TOKEN: "a",
    TASKCLUSTER_CLIENT_ID: "b",
    TASKCLUSTER_CERTIFICATE: "c",
    TASKCLUSTER_PROXY_URL: "http://localhost",
  };
  return withEngine(async (engine) => {
    const context = await engine.createContext({ directoryName: "task_abc_0" });
    assert.deepEqual(context.baseEnvironment(), kept);
    context.baseEnvironment()["ADDED"] = "by one run";
    assert.deepEqual(context.baseEnvironment(), kept);
  }, { ...kept, ...secrets });
});

Deno.test("the insecure engine halts the machine through sudo", () =>
  withEngine((engine) => {
    assert.equal(engine.name, "insecure");
    assert.equal(engine.privileged, false);
    return Promise.resolve();
  }));
