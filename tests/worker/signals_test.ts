/** SIGTERM and SIGINT in every phase of a worker's life (spec 01 §6.6, weaknesses K1 to K3, K11, K12). */

import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { TaskSignal } from "../support/task_signal.ts";
import { type Deployment, shell, withDeployment, withWorker } from "../support/worker.ts";

/** Far less than a long poll, far more than a worker needs to end. */
const atOnceMs = 3_000;

const exitCodes = { SIGTERM: 72, SIGINT: 71 } as const;
const signals = ["SIGTERM", "SIGINT"] as const;

for (const signal of signals) {
  Deno.test(`${signal} ends an idle worker at once, in the middle of its long poll (K2)`, async () => {
    await withWorker({}, async (_deployment, worker) => {
      const before = performance.now();
      worker.kill(signal);
      assert.equal(await worker.exited, exitCodes[signal]);
      assert.ok(performance.now() - before < atOnceMs);
    });
  });
}

Deno.test("SIGTERM during a command ends the task with worker-shutdown, and the queue retries it", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({}, async (deployment, worker) => {
    const taskId = deployment.createTask(shell(`echo begun > ${begun.path}; sleep 600; echo never`));
    await begun.received();
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
    assert.deepEqual(runs(deployment, taskId), [
      "exception/worker-shutdown",
      "pending/undefined",
    ]);
    const log = await deployment.log(taskId, 0);
    assert.match(log, /\[taskcluster:error\] Aborting task\.\.\.\n/);
    assert.match(log, /Command ABORTED after /);
    assert.ok(!log.includes("never\n"));
    await assertNoStatusFile(deployment);
    const successor = await deployment.startWorker();
    assert.equal((await deployment.reaches(taskId, "running")).runs.length, 2);
    successor.kill("SIGTERM");
    assert.equal(await successor.exited, 72);
  });
});

Deno.test("SIGINT during a command lets the task run to its end and claims no other (K1)", async () => {
  await using begun = await TaskSignal.make();
  await using go = await TaskSignal.make();
  await withWorker({}, async (deployment, worker) => {
    const taskId = deployment.createTask(shell(`echo begun > ${begun.path}; read line < ${go.path}; exit 0`));
    const waiting = deployment.createTask(shell("true"));
    await begun.received();
    worker.kill("SIGINT");
    await worker.says("Ending the worker: SIGINT");
    await Deno.writeTextFile(go.path, "go\n");
    assert.equal(await worker.exited, 71);
    assert.deepEqual(runs(deployment, taskId), ["completed/completed"]);
    assert.deepEqual(runs(deployment, waiting), ["pending/undefined"]);
  });
});

Deno.test("SIGTERM ends four tasks that run side by side, each with worker-shutdown (K1)", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({ config: { capacity: 4 } }, async (deployment, worker) => {
    const tasks = Array.from(
      { length: 4 },
      () => deployment.createTask(shell(`echo begun > ${begun.path}; sleep 600`)),
    );
    await Promise.all(tasks.map((taskId) => deployment.reaches(taskId, "running")));
    for (let lines = 0; lines < 4;) lines += (await begun.received()).split("\n").length;
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
    for (const taskId of tasks) {
      assert.deepEqual(runs(deployment, taskId), ["exception/worker-shutdown", "pending/undefined"]);
    }
  });
});

Deno.test("SIGTERM does not claim again what it has just given back, though slots are free", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({ config: { capacity: 4 } }, async (deployment, worker) => {
    const taskId = deployment.createTask(shell(`echo begun > ${begun.path}; exec sleep 600`));
    await begun.received();
    await deployment.run(shell("true"));
    // The end of a task makes the worker claim at once; a few calls later that one is under way.
    await worker.says("Resolved 1 tasks");
    for (let calls = 0; calls < 20; calls++) {
      await (await fetch(`${deployment.taskcluster.rootUrl}/api/queue/v1/ping`)).body?.cancel();
    }
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
    assert.deepEqual(runs(deployment, taskId), ["exception/worker-shutdown", "pending/undefined"]);
  });
});

Deno.test("SIGTERM during the set-up of a task ends it before its first command (K11)", async () => {
  const faults = new FaultSchedule([
    { service: "auth", entry: "expandScopes", effect: { kind: "delay", delayMs: 600_000 } },
  ]);
  await withWorker({ faults }, async (deployment, worker) => {
    const taskId = deployment.createTask(shell("echo never", { osGroups: ["audio"] }), {
      scopes: ["assume:some-role"],
    });
    await worker.says("Task found");
    await deployment.reaches(taskId, "running");
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
    assert.deepEqual(runs(deployment, taskId), ["exception/worker-shutdown", "pending/undefined"]);
    assert.ok(!(await deployment.log(taskId, 0)).includes("Executing command"));
  });
});

Deno.test("SIGTERM as a command ends keeps the next command from starting (K11)", async () => {
  await withWorker({}, async (deployment, worker) => {
    const payload = {
      command: [["/bin/sh", "-c", `kill -TERM ${worker.pid}; exit 0`], [
        "/bin/sh",
        "-c",
        "sleep 5; echo never",
      ]],
      maxRunTime: 60,
    };
    const taskId = deployment.createTask(payload);
    assert.equal(await worker.exited, 72);
    assert.deepEqual(runs(deployment, taskId), ["exception/worker-shutdown", "pending/undefined"]);
    assert.ok(!(await deployment.log(taskId, 0)).includes("never\n"));
  });
});

Deno.test("SIGTERM while artifacts are uploaded leaves the task its result (K12)", async () => {
  const faults = new FaultSchedule([
    { service: "store", entry: "put", path: /big/, effect: { kind: "slowStore", bytesPerSecond: 1_000_000 } },
  ]);
  await withWorker({ faults }, async (deployment, worker) => {
    const payload = shell("head -c 2000000 /dev/urandom > big", {
      artifacts: [{ type: "file", path: "big", name: "public/big", contentEncoding: "identity" }],
    });
    const taskId = deployment.createTask(payload);
    await worker.says("Uploading artifact public/big");
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
    assert.deepEqual(runs(deployment, taskId), ["completed/completed"]);
    assert.equal((await deployment.taskcluster.queue.read(taskId, "public/big")).length, 2_000_000);
    const log = await deployment.log(taskId);
    assert.ok(!log.includes("[taskcluster:error]"), log);
  });
});

Deno.test("a second signal ends the worker at once and kills what its tasks have started (K2)", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({}, async (deployment, worker) => {
    const stubborn = `trap "" TERM INT HUP
      setsid sh -c 'trap "" TERM INT HUP; echo $$ > ${begun.path}; while :; do sleep 600; done' &
      echo $$ > ${begun.path}
      while :; do sleep 600; done`;
    const taskId = deployment.createTask(shell(stubborn));
    const pids: string[] = [];
    while (pids.length < 2) pids.push(...(await begun.received()).split("\n"));
    assert.ok(pids.every(isAlive));
    worker.kill("SIGINT");
    await worker.says("Ending the worker: SIGINT");
    const before = performance.now();
    worker.kill("SIGINT");
    assert.equal(await worker.exited, 71);
    assert.ok(performance.now() - before < 1_500, `${performance.now() - before} ms`);
    // Killed processes need a moment to vanish, which nobody is left to wait for.
    const until = performance.now() + 2_000;
    while (pids.some(isAlive) && performance.now() < until) await systemClock.sleep(5);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.deepEqual(runs(deployment, taskId), ["running/undefined"]);
  });
});

Deno.test("a signal right at the start ends the worker before it claims (K2)", async () => {
  await withDeployment({}, async (deployment) => {
    const taskId = deployment.createTask(shell("true"));
    const worker = await deployment.spawnWorker();
    await worker.says("Config: ");
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
    assert.ok(
      ["pending/undefined", "exception/worker-shutdown,pending/undefined", "completed/completed"].includes(
        runs(deployment, taskId).join(),
      ),
    );
  });
});

function runs(deployment: Deployment, taskId: string): string[] {
  return deployment.taskcluster.queue.status(taskId).runs.map((run) => `${run.state}/${run.reasonResolved}`);
}

/** Zombies do not count: what ends them is not the worker's business once it has gone. */
function isAlive(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

async function assertNoStatusFile(deployment: Deployment): Promise<void> {
  await assert.rejects(Deno.stat(`${deployment.directory}/tmp/worker-status.json`), Deno.errors.NotFound);
}
