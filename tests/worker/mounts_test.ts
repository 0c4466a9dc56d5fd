/** Mounts and caches through the whole worker. */

import assert from "node:assert/strict";
import { shell, withWorker } from "../support/worker.ts";

const scopes = ["generic-worker:cache:*"];

Deno.test("a counter file in a cache counts the tasks that used it", async () => {
  await withWorker({}, async (deployment) => {
    const payload = shell("echo x >> cache/count; wc -l < cache/count", {
      mounts: [{ cacheName: "counter", directory: "cache" }],
    });
    for (let number = 1; number <= 3; number++) {
      const { taskId, resolution } = await deployment.run(payload, { scopes });
      const log = await deployment.log(taskId);
      assert.equal(resolution, "completed/completed", log);
      assert.match(log, new RegExp(`^${number}$`, "m"));
    }
  });
});
