/** Content that is an artifact of another task, however it is stored. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { FaultSchedule } from "../../../src/embedded/mod.ts";
import { credentialsFromWire } from "../../../src/services/credentials.ts";
import type { CreateArtifactRequest } from "../../../src/services/queue_types.ts";
import { type FakeTaskRun, withTaskRun } from "../../support/fake_task_run.ts";
import { mountTask } from "./mount_run.ts";

const artifact = "public/thing";
const expires = () => new Date(Date.now() + 3_600_000).toISOString();

/** Publishes an artifact as the run under test itself, whose artifacts it may then mount. */
async function publish({ task }: FakeTaskRun, request: CreateArtifactRequest, name = artifact) {
  return await task.worker.queue.createArtifact(task.credentials(), task, { name, request });
}

async function publishS3(run: FakeTaskRun, bytes: Uint8Array<ArrayBuffer>, encoding?: string) {
  const answer = await publish(run, { storageType: "s3", expires: expires(), contentType: "text/plain" });
  assert.ok("putUrl" in answer);
  const { bucket, key } = keyOf(answer.putUrl);
  const { store } = run.taskcluster.services;
  await store.write({ bucket, key }, bytes, { contentType: "text/plain" });
  if (encoding) Object.assign(store.find({ bucket, key })!, { contentEncoding: encoding });
}

function keyOf(url: string): { bucket: string; key: string } {
  const [, bucket = "", key = ""] =
    /^\/[^/]+\/([^/]+)\/(.*)$/.exec(decodeURIComponent(new URL(url).pathname)) ?? [];
  return { bucket, key };
}

async function publishObject(run: FakeTaskRun, bytes: Uint8Array, hashes: Record<string, string>) {
  const answer = await publish(run, { storageType: "object", expires: expires(), contentType: "text/plain" });
  assert.ok("uploadId" in answer);
  const { name, projectId, uploadId } = answer;
  const call = { service: "object", credentials: credentialsFromWire(answer.credentials) } as const;
  await run.task.worker.client.call({
    ...call,
    name: "createUpload",
    method: "PUT",
    path: ["upload", name],
    body: {
      projectId,
      uploadId,
      expires: answer.expires,
      proposedUploadMethods: {
        dataInline: { contentType: "text/plain", objectData: btoa(String.fromCharCode(...bytes)) },
      },
    },
  });
  await run.task.worker.client.call({
    ...call,
    name: "finishUpload",
    method: "POST",
    path: ["finish-upload", name],
    body: { projectId, uploadId, hashes },
  });
  await run.task.worker.client.call({
    service: "queue",
    name: "finishArtifact",
    method: "PUT",
    path: ["task", run.task.taskId, "runs", "0", "artifacts", artifact],
    body: { uploadId },
    credentials: run.task.credentials(),
  });
}

/** Mounts the artifact as a file; gives the text in it, or what went wrong, and the log. */
async function mounted({ task }: FakeTaskRun, content: Record<string, unknown> = {}, name = artifact) {
  const entry = { file: "file", content: { taskId: task.taskId, artifact: name, ...content } };
  const run = await mountTask(task, [entry], { dependencies: [task.taskId] });
  const text = run.problem ? undefined : await Deno.readTextFile(run.at("file"));
  return { text, problem: run.problem?.message, log: await run.end() };
}

const hello = new Uint8Array(new TextEncoder().encode("hello"));
const hashOf = (algorithm: string, bytes: Uint8Array = hello) =>
  createHash(algorithm).update(bytes).digest("hex");

Deno.test("an artifact on s3 is mounted with the lines of §6.4, and once more from the cache", async () => {
  await withTaskRun({}, async (run) => {
    await publishS3(run, hello);
    const cold = await mounted(run, { sha256: hashOf("sha256") });
    assert.equal(cold.text, "hello");
    const source = `task ${run.task.taskId} artifact ${artifact}`;
    assert.deepEqual(cold.log.split("\n").slice(0, 3), [
      `Downloading ${source} to downloads/<slug>`,
      `Downloaded 5 bytes with SHA256 <sha> from ${source} to downloads/<slug>`,
      `Content from ${source} (downloads/<slug>) matches required SHA256 <sha>`,
    ]);
    const warm = await mounted(run, { sha256: hashOf("sha256") });
    assert.match(warm.log, /^Found existing download for artifact:/);
  });
});

Deno.test("an artifact stored with gzip is decoded", async () => {
  await withTaskRun({}, async (run) => {
    await publishS3(run, new Uint8Array(gzipSync(hello)), "gzip");
    assert.equal((await mounted(run)).text, "hello");
  });
});

Deno.test("a reference and a link lead to what they refer to", async () => {
  await withTaskRun({}, async (run) => {
    await publishS3(run, hello);
    await publish(run, { storageType: "link", expires: expires(), artifact }, "public/link");
    const url = `${run.taskcluster.rootUrl}/api/queue/v1/task/${run.task.taskId}/artifacts/${
      encodeURIComponent(artifact)
    }`;
    await publish(
      run,
      { storageType: "reference", expires: expires(), contentType: "text/plain", url },
      "public/reference",
    );
    run.taskcluster.setRole("anonymous", ["queue:get-artifact:public/*"]);
    assert.equal((await mounted(run, {}, "public/link")).text, "hello");
    assert.equal((await mounted(run, {}, "public/reference")).text, "hello");
  });
});

Deno.test("an artifact that is an error fails the task with its message and reason", async () => {
  await withTaskRun({}, async (run) => {
    await publish(run, {
      storageType: "error",
      expires: expires(),
      reason: "file-missing-on-worker",
      message: "No such file",
    });
    const { problem } = await mounted(run);
    assert.match(problem ?? "", /^\[mounts\] Could not fetch from .*: No such file: file-missing-on-worker$/);
  });
});

Deno.test("an artifact that does not exist fails the task with what the queue says", async () => {
  await withTaskRun({}, async (run) => {
    const { problem } = await mounted(run);
    assert.match(problem ?? "", /^\[mounts\] Could not fetch from .*: queue\.latestArtifact: HTTP 404: /);
  });
});

for (
  const { hashes, problem } of [
    { hashes: { sha256: hashOf("sha256") }, problem: undefined },
    { hashes: { sha512: hashOf("sha512"), md5: "abc" }, problem: undefined },
    {
      hashes: { sha256: hashOf("sha256"), sha512: hashOf("sha512", new Uint8Array(1)) },
      problem: "validation of object data's sha512 hash failed",
    },
    {
      hashes: { sha256: hashOf("sha256", new Uint8Array(1)) },
      problem: "validation of object data's sha256 hash failed",
    },
    { hashes: {}, problem: "no acceptable hashes found in object metadata" },
  ]
) {
  const names = Object.keys(hashes).join(" and ") || "no hash";
  Deno.test(`an object with ${names} is ${problem ? `refused: ${problem}` : "mounted"}`, async () => {
    await withTaskRun({}, async (run) => {
      await publishObject(run, hello, hashes);
      const result = await mounted(run);
      assert.equal(result.text, problem ? undefined : "hello");
      assert.equal(result.problem?.endsWith(`: ${problem}`), problem ? true : undefined);
    });
  });
}

Deno.test("an object's URL that has expired is asked for again before the next attempt", async () => {
  const faults = new FaultSchedule();
  await withTaskRun({ faults }, async (run) => {
    await publishObject(run, hello, { sha256: hashOf("sha256") });
    let asked = 0;
    const { objects } = run.taskcluster.services.object;
    const startDownload = objects.startDownload.bind(objects);
    Object.assign(objects, {
      startDownload: async (name: string, accepted: { getUrl?: true }) => {
        const answer = await startDownload(name, accepted);
        return ++asked === 1 ? { ...answer, expires: new Date(Date.now() - 1_000).toISOString() } : answer;
      },
    });
    faults.add({ service: "store", entry: "get", calls: 1, effect: { kind: "status", status: 500 } });
    const { text, log } = await mounted(run);
    assert.equal(text, "hello");
    assert.equal(asked, 2);
    assert.match(log, /warn Download of task \S+ artifact \S+ failed on this attempt: HTTP 500/);
  });
});

Deno.test("W-46: indexed content is looked up once, with the key of the artifact it leads to", async () => {
  await withTaskRun({}, async (run) => {
    await publishS3(run, hello);
    const { tasks: index } = run.taskcluster.services.index;
    const namespace = "project.thing.latest";
    index.insert({ namespace, taskId: run.task.taskId, rank: 0, data: {}, expiresMs: Date.now() + 60_000 });
    run.taskcluster.setRole("anonymous", ["index:find-task:*", "queue:get-artifact:public/*"]);
    const task = await mountTask(run.task, [{ file: "file", content: { namespace, artifact } }]);
    assert.equal(task.problem, undefined);
    assert.equal(await Deno.readTextFile(task.at("file")), "hello");
    assert.equal(run.taskcluster.requests.count("index.findTask"), 1);
    await task.end();
    const warm = await mounted(run);
    assert.match(warm.log, /^warn No SHA256 specified in task mounts for artifact:/);
  });
});

Deno.test("a namespace that the index does not know fails the task", async () => {
  await withTaskRun({}, async (run) => {
    const task = await mountTask(run.task, [{ file: "file", content: { namespace: "no.such", artifact } }]);
    assert.match(task.problem?.message ?? "", /^\[mounts\] Could not find a task in the index at no\.such: /);
    await task.end();
  });
});
