/** The live log feature where a whole worker would be in the way (spec 04 §3). */

import assert from "node:assert/strict";
import { liveLog } from "../../../src/features/live_log/mod.ts";
import { ServiceError } from "../../../src/services/errors.ts";
import { Queue } from "../../../src/services/queue.ts";
import type { CreateArtifactRequest } from "../../../src/services/queue_types.ts";
import { withTaskRun } from "../../support/fake_task_run.ts";

/** Refuses every artifact, repeating what it was sent, as Taskcluster's errors do. */
class EchoingQueue extends Queue {
  readonly requests: CreateArtifactRequest[] = [];

  override createArtifact(
    _credentials: unknown,
    _run: unknown,
    { request }: { request: CreateArtifactRequest },
  ): Promise<never> {
    this.requests.push(request);
    const explanation = `Schema violation in ${JSON.stringify(request)}`;
    return Promise.reject(
      new ServiceError({ call: "createArtifact", status: 400, explanation, body: explanation, attempts: 1 }),
    );
  }
}

Deno.test("LF-8: the address of a live log is not in the worker's log, not even in the queue's complaints", async () => {
  await withTaskRun({}, async (run) => {
    const queue = new EchoingQueue(run.task.worker.client);
    const task = { ...run.task, worker: { ...run.task.worker, queue } };
    const undo = await liveLog.start(task);
    while (!run.workerLog().includes("Could not publish")) {
      await new Promise((resolve) => setTimeout(resolve));
    }
    const [request] = queue.requests;
    assert.ok(request?.storageType === "reference");
    const [, token = ""] = /^http:\/\/127\.0\.0\.1:\d+\/log\/([\w-]{22})$/.exec(request.url) ?? [];
    assert.notEqual(token, "");
    assert.match(
      run.workerLog(),
      /WARNING: .*Could not publish the address of the live log: .*Schema violation/,
    );
    assert.ok(!run.workerLog().includes(token));
    assert.ok(!run.taskLog().includes(token));
    await undo?.(task.outcome);
    await assert.rejects(Promise.all(task.beforeResolution), /Schema violation/);
    task.log.close();
    await Promise.all(task.outlasting);
  });
});

Deno.test("LF-4: the address of a live log expires 15 minutes after the longest run, and never after the task", async () => {
  for (const taskExpiresInS of [1_000, 10_000]) {
    const expires = new Date(Date.now() + taskExpiresInS * 1000).toISOString();
    const definition = { deadline: expires, expires };
    await withTaskRun({ payload: { maxRunTime: 600 }, definition }, async ({ task, taskcluster }) => {
      const startedMs = Date.now();
      const undo = await liveLog.start(task);
      const { live } = task.payload.logs;
      while (taskcluster.queue.artifacts(task.taskId).length === 0) {
        await new Promise((resolve) => setTimeout(resolve));
      }
      const artifact = taskcluster.queue.artifact(task.taskId, live);
      const wantedMs = Math.min(Date.parse(expires), startedMs + 1_500_000);
      assert.ok(Math.abs(Date.parse(artifact.expires) - wantedMs) < 5_000, artifact.expires);
      await undo?.(task.outcome);
      await Promise.all(task.beforeResolution);
      task.log.close();
      await Promise.all(task.outlasting);
    });
  }
});
