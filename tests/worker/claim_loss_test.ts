/** Claims that are nearly lost, and one that is. */

import assert from "node:assert/strict";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { shell, withWorker } from "../support/worker.ts";

Deno.test("refused credentials of a moment cost a running task nothing", async () => {
  const faults = new FaultSchedule([
    { service: "queue", entry: "reclaimTask", calls: 2, effect: { kind: "expiredCredentials" } },
    { service: "queue", entry: "claimWork", calls: 1, effect: { kind: "expiredCredentials" } },
  ]);
  const settings = { claimTimeoutMs: 6_000 };
  await withWorker({ faults, settings }, async (deployment, worker) => {
    const { resolution, status } = await deployment.run(shell("sleep 6"));
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
