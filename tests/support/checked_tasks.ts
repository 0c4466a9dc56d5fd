/** Tasks whose artifact and log can be held against each other. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Deployment, type RunningWorker, shell } from "./worker.ts";

const artifact = { type: "file", path: "out.bin", name: "public/out.bin", contentEncoding: "identity" };

/** A payload that publishes 300 kB that differ from task to task, with their checksum in the log. */
export const checkedPayload = () =>
  shell("head -c 300000 /dev/urandom > out.bin; sha256sum out.bin", { artifacts: [artifact] });

async function assertPublished(deployment: Deployment, taskId: string): Promise<void> {
  const bytes = await deployment.taskcluster.queue.read(taskId, "public/out.bin");
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
  assert.ok((await deployment.log(taskId)).includes(`${digest}  out.bin\n`));
}

/** Waits until all are completed in one run, with what their logs say they have published. */
export async function allComplete(deployment: Deployment, tasks: readonly string[]): Promise<void> {
  const resolved = await Promise.all(tasks.map((taskId) => deployment.resolved(taskId)));
  for (const { taskId, resolution, status } of resolved) {
    assert.equal(resolution, "completed/completed", await deployment.log(taskId));
    assert.equal(status.runs.length, 1);
    await assertPublished(deployment, taskId);
  }
}

/** The worker has met no bug of its own and runs tasks. */
export async function assertWell(deployment: Deployment, worker: RunningWorker): Promise<void> {
  assert.ok(!worker.log.includes("PANIC"), worker.log);
  assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
}
