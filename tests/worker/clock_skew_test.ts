/** A machine and a deployment that do not agree about the time. */

import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { shell, withWorker } from "../support/worker.ts";

for (const hours of [-3, 3]) {
  Deno.test(`a clock that is ${hours} h off costs no claim, artifact or resolution (K7)`, async () => {
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + hours * 3_600_000 };
    await withWorker({ clock, settings: { claimTimeoutMs: 4_000 } }, async (deployment, worker) => {
      const payload = shell("sleep 6; echo data > out", {
        artifacts: [{ type: "file", path: "out", name: "public/out" }],
      });
      const { taskId, resolution, status } = await deployment.run(payload);
      assert.equal(resolution, "completed/completed", worker.log);
      assert.equal(status.runs.length, 1);
      assert.equal(await deployment.artifactText(taskId, "public/out"), "data\n");
      assert.ok(worker.log.includes("Reclaimed until"), worker.log);
      assert.ok(!worker.log.includes("Could not claim work"), worker.log);
    });
  });
}
