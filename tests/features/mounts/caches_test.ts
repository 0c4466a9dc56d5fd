/** Writable caches: who gets which, when they go, and what becomes of them where things go wrong. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FaultSchedule } from "../../../src/embedded/mod.ts";
import { parseDirectoryTable } from "../../../src/features/mounts/tables.ts";
import { cachesOf } from "../../../src/features/mounts/worker_caches.ts";
import type { TaskRun } from "../../../src/task/task_run.ts";
import { type FakeTaskRun, withTaskRun } from "../../support/fake_task_run.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";
import { mountTask } from "./mount_run.ts";

const good = { aborted: false, exitCode: 0 };
const cache = (cacheName: string, directory = cacheName) => ({ cacheName, directory });

/** What the state file on disk says. */
function onDisk({ worker }: TaskRun) {
  return parseDirectoryTable(Deno.readTextFileSync(join(worker.directory, "directory-caches.json")));
}

/** Names in the directory of caches. */
function stored({ worker }: TaskRun): string[] {
  return [...Deno.readDirSync(join(worker.directory, "caches"))].map(({ name }) => name).toSorted();
}

/** Leaves a cache of that name with a file in it. */
async function prepare(task: TaskRun, name: string, text = name): Promise<void> {
  const mounted = await mountTask(task, [cache(name)]);
  await Deno.writeTextFile(mounted.at(`${name}/file`), text);
  await mounted.end(good);
}

Deno.test("two tasks with the same cache at once get directories of their own", async () => {
  await withTaskRun({}, async ({ task }) => {
    const first = await mountTask(task, [cache("c")]);
    const second = await mountTask(task, [cache("c")]);
    await Deno.writeTextFile(first.at("c/file"), "first");
    assert.ok(!existsSync(second.at("c/file")));
    await first.end(good);
    await second.end(good);
    assert.equal(stored(task).length, 2);
    assert.equal(onDisk(task).get("c")?.length, 2);
  });
});

Deno.test("a task gets the directory that was used last", async () => {
  await withTaskRun({}, async ({ task }) => {
    const both = [await mountTask(task, [cache("c")]), await mountTask(task, [cache("c")])];
    for (const [number, mounted] of both.entries()) {
      await Deno.writeTextFile(mounted.at("c/file"), String(number));
    }
    await both[1]?.end(good);
    await new Promise((resolve) => setTimeout(resolve, 2));
    await both[0]?.end(good);
    const next = await mountTask(task, [cache("c")]);
    assert.equal(await Deno.readTextFile(next.at("c/file")), "0");
    await next.end(good);
  });
});

Deno.test("idle directories beyond the capacity go when there is space enough", async () => {
  await withTaskRun({}, async ({ task }) => {
    const tasks = [];
    for (let number = 0; number < 3; number++) tasks.push(await mountTask(task, [cache("c")]));
    for (const mounted of tasks) await mounted.end(good);
    assert.equal(stored(task).length, 3);
    await reclaim(task, { freeBytes: 10, requiredBytes: 10 });
    assert.equal(stored(task).length, 1);
    assert.equal(onDisk(task).get("c")?.length, 1);
  });
});

async function reclaim(
  task: TaskRun,
  { freeBytes, requiredBytes }: { freeBytes: number; requiredBytes: number },
) {
  const { mounts } = await import("../../../src/features/mounts/mod.ts");
  await mounts.reclaimDiskSpace?.(task.worker, { requiredBytes, freeBytes: () => freeBytes });
}

Deno.test("a worker short of disk space gives up what is not in use, and says that it was not enough", async () => {
  await withTaskRun({}, async ({ task, workerLog }) => {
    await prepare(task, "idle");
    const busy = await mountTask(task, [cache("busy"), { file: "f", content: { raw: "x" } }]);
    await reclaim(task, { freeBytes: 1, requiredBytes: 10_737_418_240 });
    assert.deepEqual([...onDisk(task).keys()], ["busy"]);
    assert.match(
      workerLog(),
      /Only 1 bytes available in \S+ but 10737418240 required. Garbage collecting/,
    );
    assert.match(
      workerLog(),
      /ERROR: not able to free up enough disk space - require 10737418240 bytes, but only have 1 bytes - and nothing/,
    );
    assert.ok(existsSync(busy.at("busy")));
    await busy.end(good);
    assert.equal(stored(task).length, 1);
  });
});

Deno.test("a mount that fails loses no cache that was mounted before it, nor itself", async () => {
  await withTaskRun({}, async ({ task }) => {
    await prepare(task, "a");
    await prepare(task, "b");
    const before = stored(task);
    const mounted = await mountTask(task, [cache("a"), cache("b"), { file: ".", content: { raw: "x" } }]);
    assert.match(
      mounted.problem?.message ?? "",
      /^\[mounts\] cannot mount file at path .* since it already exists as/,
    );
    await mounted.end();
    assert.deepEqual(stored(task), before);
    const next = await mountTask(task, [cache("a"), cache("b")]);
    assert.equal(await Deno.readTextFile(next.at("a/file")), "a");
    assert.equal(await Deno.readTextFile(next.at("b/file")), "b");
    await next.end(good);
  });
});

Deno.test("W-38: a cache comes back from another file system, with modes, times and links", async () => {
  await withTaskRun({}, async ({ task }) => {
    const elsewhere = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "generic-worker-test-" });
    try {
      await withCacheAt(task, join(elsewhere, "cache"));
      assert.deepEqual([...Deno.readDirSync(elsewhere)], [], "nothing is left there");
    } finally {
      await Deno.remove(elsewhere, { recursive: true });
    }
  });
});

async function withCacheAt(task: TaskRun, directory: string): Promise<void> {
  const first = await mountTask(task, [{ cacheName: "c", directory }]);
  await Deno.writeTextFile(`${directory}/tool`, "x", { mode: 0o700 });
  await Deno.symlink("nowhere", `${directory}/link`);
  await Deno.utime(`${directory}/tool`, 1_000, 1_000);
  await first.end(good);
  assert.equal(first.problem, undefined);
  const second = await mountTask(task, [{ cacheName: "c", directory }]);
  assert.match(second.log(), /Moving existing writable directory cache c/);
  const facts = await Deno.stat(`${directory}/tool`);
  assert.equal(facts.mode! & 0o777, 0o700);
  assert.equal(facts.mtime?.getTime(), 1_000_000);
  assert.equal(await Deno.readLink(`${directory}/link`), "nowhere");
  await second.end(good);
  assert.equal(stored(task).length, 1);
}

Deno.test("W-39: a target that is taken is refused for a new cache and for an existing one, and costs neither", async () => {
  await withTaskRun({}, async ({ task }) => {
    using taken = new TemporaryDirectory();
    const entry = { cacheName: "c", directory: taken.at("cache") };
    await Deno.mkdir(taken.at("cache"));
    await prepare(task, "c");
    const empty = await mountTask(task, [entry]);
    assert.equal(empty.problem, undefined, "an empty directory is no obstacle");
    await empty.end(good);
    await Deno.mkdir(taken.at("cache"));
    await Deno.writeTextFile(taken.at("cache/mine"), "mine");
    for (const cacheName of ["c", "new"]) {
      const mounted = await mountTask(task, [{ ...entry, cacheName }]);
      assert.match(mounted.problem?.message ?? "", /there is something already/);
      await mounted.end();
    }
    assert.equal(await Deno.readTextFile(taken.at("cache/mine")), "mine");
    assert.deepEqual([...onDisk(task).keys()], ["c"]);
    assert.equal(stored(task).length, 1);
  });
});

Deno.test("two caches at one target are refused, and neither is lost", async () => {
  await withTaskRun({}, async ({ task }) => {
    await prepare(task, "a");
    await prepare(task, "b");
    await Deno.remove(join(task.worker.directory, "caches", stored(task)[0]!, "file"));
    const mounted = await mountTask(task, [cache("a", "same"), cache("b", "same")]);
    assert.ok(mounted.problem);
    await mounted.end();
    assert.equal(stored(task).length, 2);
  });
});

Deno.test("W-40: a cache inside another one comes back on its own", async () => {
  await withTaskRun({}, async ({ task }) => {
    for (const round of [1, 2]) {
      const mounted = await mountTask(task, [cache("outer", "o"), cache("inner", "o/i")]);
      assert.equal(mounted.problem, undefined);
      if (round === 1) {
        await Deno.writeTextFile(mounted.at("o/outer"), "");
        await Deno.writeTextFile(mounted.at("o/i/inner"), "");
      } else {
        assert.deepEqual([...Deno.readDirSync(mounted.at("o"))].map(({ name }) => name).toSorted(), [
          "i",
          "outer",
        ]);
        assert.ok(existsSync(mounted.at("o/i/inner")));
      }
      await mounted.end(good);
      assert.equal(mounted.problem, undefined);
    }
    assert.equal(stored(task).length, 2);
  });
});

Deno.test("W-41: a purge deletes the directory where it is mounted, and no other cache", async () => {
  await withTaskRun({}, async ({ task }) => {
    using elsewhere = new TemporaryDirectory();
    const directory = elsewhere.at("cache");
    await prepare(task, "other");
    const mounted = await mountTask(task, [{ cacheName: "c", directory }], { purgeCaches: [0, 3] });
    await Deno.writeTextFile(`${directory}/old`, "old");
    const log = await mounted.end({ aborted: false, exitCode: 0 });
    assert.match(log, /Purging caches since last command had exit code 0 which is listed in/);
    assert.ok(!existsSync(directory));
    assert.deepEqual([...onDisk(task).keys()], ["other"]);
    const next = await mountTask(task, [{ cacheName: "c", directory }]);
    assert.match(next.log(), /No existing writable directory cache 'c'/);
    assert.ok(!existsSync(`${directory}/old`));
    await next.end(good);
  });
});

for (
  const { purgeCaches, result, purged } of [
    { purgeCaches: [], result: good, purged: false },
    { purgeCaches: [1, 2], result: good, purged: false },
    { purgeCaches: [1, 2], result: { aborted: false, exitCode: 2 }, purged: true },
    { purgeCaches: [], result: { aborted: true }, purged: true },
    { purgeCaches: [0], result: undefined, purged: false },
  ]
) {
  const what = JSON.stringify({ purgeCaches, result });
  Deno.test(`caches are ${purged ? "purged" : "kept"} after ${what}`, async () => {
    await withTaskRun({}, async ({ task }) => {
      await prepare(task, "c");
      const mounted = await mountTask(task, [cache("c")], { purgeCaches });
      await mounted.end(result);
      assert.equal(onDisk(task).has("c"), !purged);
      assert.equal(stored(task).length, purged ? 0 : 1);
    });
  });
}

/** Asks the service of this deployment for a purge. */
function ask({ taskcluster }: FakeTaskRun, cacheName: string): void {
  taskcluster.services.purgeCache.requests.purge("local/worker", cacheName);
}

/** Makes the clock of all that follows differ from when caches were made. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

Deno.test("a purge request removes idle caches of its name, once, whether the asking task mounts them or not", async () => {
  await withTaskRun({}, async (run) => {
    const { task } = run;
    await prepare(task, "stale");
    await prepare(task, "other");
    await settled();
    ask(run, "stale");
    const mounted = await mountTask(task, [cache("other")]);
    assert.match(
      mounted.log(),
      /^Removing cache stale from cache table \(purge request\)\nDeleting cache stale file/,
    );
    await mounted.end(good);
    assert.deepEqual([...onDisk(task).keys()], ["other"]);
    // W-36: the request is handed out for a while, but is no reason to throw away what is newer than the purge.
    await settled();
    await prepare(task, "stale");
    const next = await mountTask(task, [cache("other")]);
    assert.doesNotMatch(next.log(), /Removing/);
    await next.end(good);
    assert.ok(onDisk(task).has("stale"));
  });
});

Deno.test("a purge request for a cache in use takes effect when it comes back", async () => {
  await withTaskRun({}, async (run) => {
    const { task } = run;
    const busy = await mountTask(task, [cache("c")]);
    await settled();
    ask(run, "c");
    const other = await mountTask(task, [cache("d")]);
    assert.match(other.log(), /^Marking in-use cache c for deferred purge/);
    await busy.end(good);
    await other.end(good);
    assert.match(run.workerLog(), /Evicting cache c that was marked for purge while in use/);
    assert.deepEqual([...onDisk(task).keys()], ["d"]);
    assert.equal(stored(task).length, 1);
  });
});

Deno.test("W-36, W-37: a purge service that is away delays no task for long, and no request is missed", async () => {
  const faults = new FaultSchedule();
  await withTaskRun({ faults }, async (run) => {
    const { task, clock } = run;
    await prepare(task, "c");
    await settled();
    const back = faults.add({ service: "purge-cache", effect: { kind: "status", status: 503 } });
    const sleptMs = clock.sleptMs;
    ask(run, "c");
    const mounted = await mountTask(task, [cache("d")]);
    assert.match(
      mounted.log(),
      /warn Could not reach purgecache service to see if caches need purging:\nwarn purge-cache.purgeRequests: HTTP 503/,
    );
    assert.equal(mounted.problem, undefined);
    await mounted.end(good);
    assert.ok(clock.sleptMs - sleptMs < 20_000, `${clock.sleptMs - sleptMs} ms`);
    back();
    await (await mountTask(task, [cache("d")])).end(good);
    assert.deepEqual([...onDisk(task).keys()], ["d"]);
  });
});

Deno.test("W-36: a cache that can't be deleted stops no other purge and is not used again", async () => {
  await withTaskRun({}, async (run) => {
    const { task } = run;
    await prepare(task, "a");
    await prepare(task, "b");
    await settled();
    ask(run, "a");
    ask(run, "b");
    const caches = cachesOf(task.worker);
    const [entry] = caches.pool.table.get("a")!;
    const stuck = caches.absolute(entry!.location);
    const { removeTree } = task.worker.platform;
    Object.assign(task.worker.platform, {
      removeTree: (path: string) => path === stuck ? Promise.reject(new Error("busy")) : removeTree(path),
    });
    const mounted = await mountTask(task, [cache("d")]);
    assert.match(mounted.log(), /error Could not delete cache a/);
    await mounted.end(good);
    assert.deepEqual([...onDisk(task).keys()], ["d"]);
    assert.ok(existsSync(stuck));
    // W-35: its space is not lost for ever.
    Object.assign(task.worker.platform, { removeTree });
    await reclaim(task, { freeBytes: 2, requiredBytes: 1 });
    assert.ok(!existsSync(stuck));
  });
});
