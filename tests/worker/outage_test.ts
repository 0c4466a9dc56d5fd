/** A queue that is away, slow or forgetful costs no task its result. */

import assert from "node:assert/strict";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { allComplete, assertWell, checkedPayload } from "../support/checked_tasks.ts";
import { shell, withDeployment, withWorker } from "../support/worker.ts";

Deno.test("a queue that answers 502 to everything for a while loses no task", async () => {
  const settings = { claimTimeoutMs: 30_000 };
  await withWorker({ config: { capacity: 4 }, settings }, async (deployment, worker) => {
    const { faults } = deployment.taskcluster;
    const running = Array.from({ length: 4 }, () => deployment.createTask(checkedPayload()));
    const waiting = Array.from({ length: 6 }, () => deployment.createTask(checkedPayload()));
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
      calls: 2,
      effect: { kind: "status", status: 502 },
    })),
  );
  const settings = { claimTimeoutMs: 8_000 };
  await withWorker({ faults, settings }, async (deployment, worker) => {
    const { taskId, resolution, status } = await deployment.run(shell("sleep 6; echo done"));
    assert.equal(resolution, "completed/completed", worker.log);
    assert.equal(status.runs.length, 1);
    assert.match(await deployment.log(taskId), /^done$/m);
    await worker.says("queue.reclaimTask: HTTP 502", 2);
    await worker.says("queue.reportCompleted: HTTP 502", 2);
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
    const tasks = [deployment.createTask(checkedPayload()), deployment.createTask(checkedPayload())];
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
