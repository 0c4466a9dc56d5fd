/** A queue or a store that is away, slow or forgetful costs no task its result. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { type Deployment, type RunningWorker, shell, withDeployment, withWorker } from "../support/worker.ts";

const artifact = { type: "file", path: "out.bin", name: "public/out.bin", contentEncoding: "identity" };

/** 300 kB that differ from task to task, with their checksum in the log. */
const payload = () =>
  shell("head -c 300000 /dev/urandom > out.bin; sha256sum out.bin", { artifacts: [artifact] });

async function assertPublished(deployment: Deployment, taskId: string): Promise<void> {
  const bytes = await deployment.taskcluster.queue.read(taskId, "public/out.bin");
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
  assert.ok((await deployment.log(taskId)).includes(`${digest}  out.bin\n`));
}

async function allComplete(deployment: Deployment, tasks: readonly string[]): Promise<void> {
  const resolved = await Promise.all(tasks.map((taskId) => deployment.resolved(taskId)));
  for (const { taskId, resolution, status } of resolved) {
    assert.equal(resolution, "completed/completed", await deployment.log(taskId));
    assert.equal(status.runs.length, 1);
    await assertPublished(deployment, taskId);
  }
}

async function assertWell(deployment: Deployment, worker: RunningWorker): Promise<void> {
  assert.ok(!worker.log.includes("PANIC"), worker.log);
  assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
}

Deno.test("a queue that answers 502 to everything for a while loses no task", async () => {
  const settings = { claimTimeoutMs: 30_000 };
  await withWorker({ config: { capacity: 4 }, settings }, async (deployment, worker) => {
    const { faults } = deployment.taskcluster;
    const running = Array.from({ length: 4 }, () => deployment.createTask(payload()));
    const waiting = Array.from({ length: 6 }, () => deployment.createTask(payload()));
    await Promise.all(running.map((taskId) => deployment.reaches(taskId, "running")));
    const restore = faults.add({ service: "queue", effect: { kind: "status", status: 502 } });
    // By the eighth attempt seven seconds have passed, and whatever the runs were doing must have come to a halt.
    await worker.says("(attempt 8,");
    restore();
    await allComplete(deployment, [...running, ...waiting]);
    await assertWell(deployment, worker);
  });
});

Deno.test("a queue that is away when a run is reported, reclaimed or claimed gets to know later", async () => {
  const faults = new FaultSchedule(
    ["claimWork", "reclaimTask", "reportCompleted", "createArtifact"].map((entry) => ({
      service: "queue",
      entry,
      calls: 3,
      effect: { kind: "status", status: 502 },
    })),
  );
  const settings = { claimTimeoutMs: 12_000 };
  await withWorker({ faults, settings }, async (deployment, worker) => {
    const { taskId, resolution, status } = await deployment.run(shell("sleep 8; echo done"));
    assert.equal(resolution, "completed/completed", worker.log);
    assert.equal(status.runs.length, 1);
    assert.match(await deployment.log(taskId), /^done$/m);
    await worker.says("queue.reclaimTask: HTTP 502", 3);
    await worker.says("queue.reportCompleted: HTTP 502", 3);
  });
});

Deno.test("answers that are lost after the queue has acted do no harm", async () => {
  const faults = new FaultSchedule(
    ["reclaimTask", "reportCompleted", "reportFailed", "createArtifact", "status"].map((entry) => ({
      service: "queue",
      entry,
      calls: 2,
      effect: { kind: "lostAnswer" },
    })),
  );
  await withWorker({ faults }, async (deployment, worker) => {
    const tasks = [deployment.createTask(payload()), deployment.createTask(payload())];
    await allComplete(deployment, tasks);
    assert.equal((await deployment.run(shell("exit 3"))).resolution, "failed/failed");
    await assertWell(deployment, worker);
  });
});

Deno.test("a claim whose answer is lost comes back when it expires, and its run is made up for", async () => {
  const faults = new FaultSchedule([
    { service: "queue", entry: "claimWork", calls: 1, effect: { kind: "lostAnswer" } },
  ]);
  const settings = { claimTimeoutMs: 2_000, longPollMs: 100 };
  await withDeployment({ faults, settings }, async (deployment) => {
    const taskId = deployment.createTask(shell("true"));
    await deployment.startWorker();
    const { status } = await deployment.resolved(taskId);
    assert.deepEqual(status.runs.map((run) => run.reasonResolved), ["claim-expired", "completed"]);
  });
});

Deno.test("a store that resets, refuses, answers too late or not at all gets every byte in the end", async () => {
  const put = { service: "store", entry: "put" };
  const faults = new FaultSchedule([
    { ...put, path: /out/, calls: 2, effect: { kind: "reset" } },
    { ...put, path: /out/, fromCall: 3, calls: 1, effect: { kind: "status", status: 500 } },
    { ...put, path: /out/, fromCall: 4, calls: 1, effect: { kind: "lostAnswer" } },
    { ...put, path: /out/, effect: { kind: "slowStore", bytesPerSecond: 1_000_000 } },
    { ...put, path: /backing/, calls: 1, effect: { kind: "status", status: 400 } },
    { ...put, path: /backing/, fromCall: 2, calls: 1, effect: { kind: "reset" } },
    { ...put, path: /backing/, fromCall: 3, calls: 1, effect: { kind: "delay", delayMs: 500 } },
  ]);
  await withWorker({ faults, config: { capacity: 2 } }, async (deployment, worker) => {
    await allComplete(deployment, [deployment.createTask(payload()), deployment.createTask(payload())]);
    await assertWell(deployment, worker);
  });
});

Deno.test("a store that refuses an artifact for good makes the run resource-unavailable, with its log", async () => {
  const faults = new FaultSchedule([
    { service: "store", entry: "put", path: /out/, effect: { kind: "status", status: 403 } },
  ]);
  await withWorker({ faults }, async (deployment, worker) => {
    const { taskId, resolution } = await deployment.run(payload());
    assert.equal(resolution, "exception/resource-unavailable");
    assert.match(await deployment.log(taskId), /\[taskcluster:error\] public\/out\.bin: Response 403/);
    await assertWell(deployment, worker);
  });
});

Deno.test("refused credentials of a moment cost a running task nothing", async () => {
  const faults = new FaultSchedule([
    { service: "queue", entry: "reclaimTask", calls: 2, effect: { kind: "expiredCredentials" } },
    { service: "queue", entry: "claimWork", calls: 1, effect: { kind: "expiredCredentials" } },
  ]);
  const settings = { claimTimeoutMs: 6_000 };
  await withWorker({ faults, settings }, async (deployment, worker) => {
    const { resolution, status } = await deployment.run(shell("sleep 8"));
    assert.equal(resolution, "completed/completed", worker.log);
    assert.equal(status.runs.length, 1);
  });
});

Deno.test("a queue that is away for longer than the claim loses the run, which its log says, and no other", async () => {
  const settings = { claimTimeoutMs: 4_000 };
  await withWorker({ settings }, async (deployment, worker) => {
    const { faults } = deployment.taskcluster;
    const taskId = deployment.createTask(shell("echo begun; sleep 600"), { retries: 1 });
    await deployment.reaches(taskId, "running");
    const restore = faults.add({ service: "queue", effect: { kind: "status", status: 503 } });
    await worker.says("The claim of the run has ended");
    await worker.says("Resolved 1 tasks");
    restore();
    const status = await deployment.reaches(taskId, "running");
    assert.deepEqual(status.runs.map((run) => run.reasonResolved), ["claim-expired", undefined]);
    deployment.taskcluster.queue.cancelTask(taskId);
  });
});
