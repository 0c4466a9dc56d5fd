/** The claim of a run: renewed while it lasts, and what happens when it is taken away (K7, K11, K12, K20, K41). */

import assert from "node:assert/strict";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { TaskSignal } from "../support/task_signal.ts";
import { shell, withDeployment, withWorker } from "../support/worker.ts";

/** Short enough that a run needs several. */
const shortClaims = { claimTimeoutMs: 4_000 };

Deno.test("a claim of four seconds is renewed as often as a long command needs it (K7)", async () => {
  await withWorker({ settings: shortClaims }, async (deployment, worker) => {
    const { resolution, status } = await deployment.run(shell("sleep 11"));
    assert.equal(resolution, "completed/completed", worker.log);
    assert.equal(status.runs.length, 1);
    const reclaims = worker.log.split("Reclaimed until").length - 1;
    assert.ok(reclaims >= 3 && reclaims <= 7, `${reclaims} reclaims`);
  });
});

Deno.test("a cancelled run ends at its next reclaim, and the worker goes on", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({ settings: shortClaims }, async (deployment, worker) => {
    const taskId = deployment.createTask(shell(`echo $$ > ${begun.path}; sleep 600; echo never`));
    await begun.received();
    deployment.taskcluster.queue.cancelTask(taskId);
    await worker.says("Resolved 1 tasks");
    const log = await deployment.log(taskId);
    assert.match(log, /\[taskcluster:error\] The task was cancelled\n/);
    assert.match(log, /Command ABORTED after /);
    assert.ok(!log.includes("never\n"));
    assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
  });
});

Deno.test("a run whose deadline passes is killed, publishes its log, and is deadline-exceeded (K41)", async () => {
  const settings = { deadlineDelayMs: 4_000 };
  await withWorker({ settings }, async (deployment, worker) => {
    const deadline = new Date(Date.now() + 2_500).toISOString();
    const taskId = deployment.createTask(shell("echo begun; sleep 600; echo never"), { deadline });
    await worker.says("Resolved 1 tasks");
    assert.equal(deployment.taskcluster.queue.status(taskId).state, "running");
    const { resolution } = await deployment.resolved(taskId);
    assert.equal(resolution, "exception/deadline-exceeded");
    const log = await deployment.log(taskId);
    assert.match(log, /^begun$/m);
    assert.match(log, /\[taskcluster:error\] The deadline of the task has passed\n/);
    assert.ok(!log.includes("never\n"));
  });
});

Deno.test("a task cancelled during its set-up never starts a command (K11)", async () => {
  const faults = new FaultSchedule([
    { service: "auth", entry: "expandScopes", effect: { kind: "delay", delayMs: 600_000 } },
  ]);
  await withWorker({ faults, settings: shortClaims }, async (deployment, worker) => {
    const taskId = deployment.createTask(shell("echo never", { osGroups: ["audio"] }), {
      scopes: ["assume:some-role"],
    });
    await deployment.reaches(taskId, "running");
    deployment.taskcluster.queue.cancelTask(taskId);
    await worker.says("Resolved 1 tasks");
    assert.ok(!worker.log.includes("Executing command"));
    assert.match(await deployment.log(taskId), /\[taskcluster:error\] The task was cancelled\n/);
  });
});

Deno.test("a task cancelled while its artifacts are uploaded stays cancelled, and the worker goes on (K12)", async () => {
  const faults = new FaultSchedule([
    { service: "store", entry: "put", path: /big/, effect: { kind: "slowStore", bytesPerSecond: 300_000 } },
  ]);
  await withWorker({ faults, settings: shortClaims }, async (deployment, worker) => {
    const payload = shell("head -c 1500000 /dev/urandom > big", {
      artifacts: [{ type: "file", path: "big", name: "public/big", contentEncoding: "identity" }],
    });
    const taskId = deployment.createTask(payload);
    await worker.says("Uploading artifact public/big");
    deployment.taskcluster.queue.cancelTask(taskId);
    await worker.says("Resolved 1 tasks");
    assert.equal((await deployment.resolved(taskId)).resolution, "exception/canceled");
    assert.ok(!worker.log.includes("PANIC"), worker.log);
    assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
  });
});

Deno.test("a time limit that passes in the middle of output ends the task as failed", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell("while :; do echo y; done", { maxRunTime: 1 }));
    assert.equal(resolution, "failed/failed");
    assert.match(
      await deployment.log(taskId),
      /^y\ny\n[^]*\n\[taskcluster:error\] task aborted - max run time exceeded\n$/m,
    );
  });
});

Deno.test("a worker killed with SIGKILL leaves nothing that its successor does not clear away first (K42)", async () => {
  await using begun = await TaskSignal.make();
  await withDeployment({ settings: { ...shortClaims, longPollMs: 200 } }, async (deployment) => {
    const worker = await deployment.startWorker();
    const statusFile = `${deployment.directory}/tmp/worker-status.json`;
    // The worker writes its status beside the start of the task.
    const script = `until grep -qs $TASK_ID ${statusFile}; do sleep 0.05; done
      setsid sh -c 'trap "" TERM; echo $$ > ${begun.path}; sleep 600' &
      mkdir -p a/b; echo $$ > ${begun.path}; pwd > ${begun.path}; sleep 600`;
    const taskId = deployment.createTask(shell(`case $RUN_ID in 0) ${script};; esac`), { retries: 1 });
    const said: string[] = [];
    while (said.length < 3) said.push(...(await begun.received()).split("\n"));
    const taskDirectory = said.find((line) => line.startsWith("/")) ?? "";
    const pids = said.filter((line) => /^\d+$/.test(line));
    assert.ok((await Deno.readTextFile(statusFile)).includes(taskId));
    worker.kill("SIGKILL");
    await worker.exited;
    assert.deepEqual(pids.filter(isRunning), pids);
    await Deno.stat(taskDirectory);

    const successor = await deployment.startWorker();
    assert.deepEqual(pids.filter(isRunning), []);
    await assert.rejects(Deno.stat(taskDirectory), Deno.errors.NotFound);
    await assert.rejects(Deno.stat(statusFile), Deno.errors.NotFound);
    const { status, resolution } = await deployment.resolved(taskId);
    assert.equal(resolution, "completed/completed", successor.log);
    assert.deepEqual(status.runs.map((run) => run.reasonResolved), ["claim-expired", "completed"]);
  });
});

function isRunning(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}
