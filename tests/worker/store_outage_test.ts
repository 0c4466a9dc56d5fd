/** A store that is away, slow or forgetful costs no task its result. */

import assert from "node:assert/strict";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { allComplete, assertWell, checkedPayload } from "../support/checked_tasks.ts";
import { withWorker } from "../support/worker.ts";

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
    await allComplete(deployment, [
      deployment.createTask(checkedPayload()),
      deployment.createTask(checkedPayload()),
    ]);
    await assertWell(deployment, worker);
  });
});

Deno.test("a store that refuses an artifact for good makes the run resource-unavailable, with its log", async () => {
  const faults = new FaultSchedule([
    { service: "store", entry: "put", path: /out/, effect: { kind: "status", status: 403 } },
  ]);
  await withWorker({ faults }, async (deployment, worker) => {
    const { taskId, resolution } = await deployment.run(checkedPayload());
    assert.equal(resolution, "exception/resource-unavailable");
    assert.match(await deployment.log(taskId), /\[taskcluster:error\] public\/out\.bin: Response 403/);
    await assertWell(deployment, worker);
  });
});
