/** What the worker keeps: slots, its counter, the status file, which directories are its own, how long it idles. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { createPlatform } from "#platform";
import { systemClock } from "../../src/base/clock.ts";
import type { Config } from "../../src/config/config.ts";
import { createWorkerLog, silentWorkerLog } from "../../src/log/worker_log.ts";
import { IdleTimer } from "../../src/worker/idle_timer.ts";
import { ResolvedCounter } from "../../src/worker/resolved_counter.ts";
import { RunRegistry } from "../../src/worker/run_registry.ts";
import { slotPorts, Slots } from "../../src/worker/slots.ts";
import { StatusFile } from "../../src/worker/status_file.ts";
import { Termination } from "../../src/worker/termination.ts";
import { FakeClock } from "../support/fake_clock.ts";

const ports = {
  capacity: 3,
  enableLiveLog: true,
  livelogPortBase: 60098,
  enableInteractive: true,
  interactivePort: 53654,
  enableTaskclusterProxy: false,
  taskclusterProxyPort: 80,
} as Config;

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("slots are taken lowest first, each with ports of its own, and come back", () => {
  const slots = new Slots(ports);
  const [a, b, c] = [slots.take(), slots.take(), slots.take()];
  assert.deepEqual([a.index, b.index, c.index, slots.free], [0, 1, 2, 0]);
  assert.throws(() => slots.take(), /no available port slots/);
  slots.release(b);
  assert.equal(slots.take().index, 1);
});

Deno.test("ports of a slot lie four apart; those of disabled features are 0", () => {
  assert.deepEqual(slotPorts(ports, 2), {
    liveLogPut: 60106,
    liveLogGet: 60107,
    interactive: 53662,
    proxy: 0,
  });
});

Deno.test("K15: the counter of resolved tasks is stored with every task", async () => {
  await withDirectory(async (directory) => {
    const counter = new ResolvedCounter(directory, silentWorkerLog);
    await counter.load();
    await counter.increment();
    await counter.increment();
    assert.equal(await Deno.readTextFile(join(directory, "tasks-resolved-count.txt")), "2");
    const restarted = new ResolvedCounter(directory, silentWorkerLog);
    await restarted.load();
    assert.equal(restarted.count, 2);
  });
});

Deno.test("a garbled counter counts as 0 and is reported", async () => {
  await withDirectory(async (directory) => {
    for (const garbage of ["", "-1", "12x", "9".repeat(40), "\u0000"]) {
      await Deno.writeTextFile(join(directory, "tasks-resolved-count.txt"), garbage);
      const lines: string[] = [];
      const counter = new ResolvedCounter(directory, createWorkerLog((line) => lines.push(line)));
      await counter.load();
      assert.equal(counter.count, 0);
      assert.equal(lines.length, 1);
    }
  });
});

Deno.test("the status file names the running tasks and goes away with the last", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "worker-status.json");
    const file = new StatusFile(directory, silentWorkerLog);
    const updates = [file.update(["a"]), file.update(["a", "b"])];
    await Promise.all(updates);
    assert.equal(await Deno.readTextFile(path), '{\n  "currentTaskIds": [\n    "a",\n    "b"\n  ]\n}\n');
    await file.update([]);
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("K30: a link planted under the name of the status file is replaced, not followed", async () => {
  await withDirectory(async (directory) => {
    const victim = join(directory, "victim");
    await Deno.writeTextFile(victim, "precious");
    await Deno.symlink(victim, join(directory, "worker-status.json"));
    await new StatusFile(directory, silentWorkerLog).update(["a"]);
    assert.equal(await Deno.readTextFile(victim), "precious");
    assert.equal((await Deno.lstat(join(directory, "worker-status.json"))).isFile, true);
  });
});

Deno.test("K23: a purge removes the directories of ended runs of this worker, and nothing else", async () => {
  await withDirectory(async (directory) => {
    const tasks = join(directory, "tasks");
    const registry = new RunRegistry({
      directory: join(directory, "runs"),
      platform: createPlatform(),
      log: silentWorkerLog,
      clock: systemClock,
      cleanUp: true,
    });
    for (const name of ["task_a_0", "task_keep_0"]) {
      await registry.begin({ name, taskDirectory: join(tasks, name) });
      await Deno.mkdir(join(tasks, name, "deep"), { recursive: true });
    }
    await Deno.mkdir(join(tasks, "task_of_another_worker"));
    await Deno.writeTextFile(join(tasks, "task_f"), "");
    await registry.purge(() => new Set(["task_keep_0"]));
    const left = (await Array.fromAsync(Deno.readDir(tasks))).map((entry) => entry.name).sort();
    assert.deepEqual(left, ["task_f", "task_keep_0", "task_of_another_worker"]);
    const runs = (await Array.fromAsync(Deno.readDir(join(directory, "runs")))).map((entry) => entry.name);
    assert.deepEqual(runs, ["task_keep_0"]);
  });
});

Deno.test("a purge keeps everything and says so when cleanUpTaskDirs is false", async () => {
  await withDirectory(async (directory) => {
    const lines: string[] = [];
    const registry = new RunRegistry({
      directory: join(directory, "runs"),
      platform: createPlatform(),
      log: createWorkerLog((line) => lines.push(line)),
      clock: systemClock,
      cleanUp: false,
    });
    const taskDirectory = join(directory, "task_a_0");
    await registry.begin({ name: "task_a_0", taskDirectory });
    await Deno.mkdir(taskDirectory);
    await registry.purge(() => new Set());
    assert.equal((await Deno.stat(taskDirectory)).isDirectory, true);
    assert.match(lines.join(""), /cleanUpTaskDirs is false/);
  });
});

Deno.test("the idle timer expires after its timeout, restarts, and reports once a minute", async () => {
  const clock = new FakeClock();
  const idle = new IdleTimer({ clock, timeoutMs: 90_000 });
  assert.equal(
    idle.report(undefined),
    "No task claimed. Idle for 0s (will exit if no task claimed in 1m30s).",
  );
  await clock.advance(30_000);
  assert.equal(idle.report(undefined), undefined);
  await clock.advance(59_000);
  assert.equal(idle.expired, false);
  assert.equal(idle.leftMs, 1_000);
  assert.match(idle.report(3) ?? "", /3 more tasks to run before exiting/);
  await clock.advance(1_000);
  assert.equal(idle.expired, true);
  idle.restart();
  assert.equal(idle.expired, false);
  assert.equal(new IdleTimer({ clock, timeoutMs: 0 }).leftMs, Infinity);
});

Deno.test("the first request to end the worker counts", () => {
  const termination = new Termination();
  assert.equal(termination.request({ reason: "SIGTERM", exitCode: 72, finishTasks: false }), true);
  assert.equal(termination.request({ reason: "SIGINT", exitCode: 71, finishTasks: true }), false);
  assert.equal(termination.requested?.exitCode, 72);
  assert.equal(termination.signal.aborted, true);
});
