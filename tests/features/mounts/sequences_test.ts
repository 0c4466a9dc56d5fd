/** What the log says of each kind of mount, cold and warm, line by line (spec 03 §6.15). */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { withTaskRun } from "../../support/fake_task_run.ts";
import { answerHead, ScriptedServer } from "../../services/scripted_server.ts";
import { tarOf } from "../../archive/tar_bytes.ts";
import { mountTask } from "./mount_run.ts";

const hello = new TextEncoder().encode("hello\n");
const archive = new Uint8Array(gzipSync(tarOf([{ name: "dir/file", content: "from the archive\n" }])));
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Serves the bytes at every path. */
function serving(bytes: Uint8Array): ScriptedServer {
  return new ScriptedServer(() => [answerHead("200 OK", { "content-length": bytes.length }), bytes]);
}

function lines(log: string): string[] {
  return log.trimEnd().split("\n");
}

Deno.test("a file without a hash, cold and warm, says the lines of §6.15", async () => {
  await using server = serving(hello);
  const url = `${server.url}/x`;
  await withTaskRun({}, async ({ task }) => {
    const entry = { file: "sub/file", content: { url } };
    const cold = await mountTask(task, [entry]);
    assert.equal(await Deno.readTextFile(cold.at("sub/file")), "hello\n");
    assert.deepEqual(lines(await cold.end()), [
      `Downloading url ${url} to downloads/<slug>`,
      `Downloaded 6 bytes with SHA256 <sha> from url ${url} to downloads/<slug>`,
      `warn Download downloads/<slug> of url ${url} has SHA256 <sha> but task payload does not declare a required ` +
      "value, so content authenticity cannot be verified",
      "Creating directory <task>/sub",
      "Copying downloads/<slug> to <task>/sub/file",
    ]);
    const warm = await mountTask(task, [entry]);
    assert.deepEqual(lines(await warm.end()), [
      `warn No SHA256 specified in task mounts for urlcontent:${url} - SHA256 from downloaded file ` +
      "downloads/<slug> is <sha>.",
      "Creating directory <task>/sub",
      "Copying downloads/<slug> to <task>/sub/file",
    ]);
    assert.equal(server.requests.length, 1);
  });
});

Deno.test("a compressed file with the right hash, warm, says the lines of §6.15", async () => {
  const bytes = new Uint8Array(gzipSync(hello));
  await using server = serving(bytes);
  const url = `${server.url}/x`;
  await withTaskRun({}, async ({ task }) => {
    const entry = { file: "file", content: { url, sha256: sha256(bytes) }, format: "gz" };
    await (await mountTask(task, [entry])).end();
    const warm = await mountTask(task, [entry]);
    assert.equal(await Deno.readTextFile(warm.at("file")), "hello\n");
    assert.deepEqual(lines(await warm.end()), [
      `Found existing download for urlcontent:${url} (downloads/<slug>) with correct SHA256 <sha>`,
      "Creating directory <task>",
      "Decompressing gz file downloads/<slug> to '<task>/file'",
    ]);
  });
});

Deno.test("a read-only directory with the right hash, cold and warm, says the lines of §6.15", async () => {
  await using server = serving(archive);
  const url = `${server.url}/x.tar.gz`;
  await withTaskRun({}, async ({ task }) => {
    const entry = { directory: "tools", content: { url, sha256: sha256(archive) }, format: "tar.gz" };
    const unpacking = [
      "Creating directory <task>/tools",
      "Copying file 'downloads/<slug>' to '<task>/<slug>'",
      "Extracting tar.gz file <task>/<slug> to '<task>/tools'",
      "Removing file '<task>/<slug>'",
    ];
    const cold = await mountTask(task, [entry]);
    assert.equal(await Deno.readTextFile(cold.at("tools/dir/file")), "from the archive\n");
    assert.deepEqual(lines(await cold.end()), [
      `Downloading url ${url} to downloads/<slug>`,
      `Downloaded ${archive.length} bytes with SHA256 <sha> from url ${url} to downloads/<slug>`,
      `Content from url ${url} (downloads/<slug>) matches required SHA256 <sha>`,
      ...unpacking,
    ]);
    const warm = await mountTask(task, [entry]);
    assert.deepEqual(lines(await warm.end()), [
      `Found existing download for urlcontent:${url} (downloads/<slug>) with correct SHA256 <sha>`,
      ...unpacking,
    ]);
    const names = [...Deno.readDirSync(warm.task.context.directory)].map(({ name }) => name);
    assert.deepEqual(names, ["tools"], "the archive is gone from the task directory");
  });
});

Deno.test("a writable cache, new with content and then existing, says the lines of §6.15", async () => {
  await using server = serving(archive);
  const url = `${server.url}/x.tar.gz`;
  await withTaskRun({}, async ({ task }) => {
    const content = { url, sha256: sha256(archive) };
    const entry = { cacheName: "build", directory: "a/b", content, format: "tar.gz" };
    const cold = await mountTask(task, [entry]);
    await Deno.writeTextFile(cold.at("a/b/more"), "more");
    assert.deepEqual(lines(await cold.end({ aborted: false, exitCode: 0 })), [
      "No existing writable directory cache 'build' - creating caches/<slug>",
      `Downloading url ${url} to downloads/<slug>`,
      `Downloaded ${archive.length} bytes with SHA256 <sha> from url ${url} to downloads/<slug>`,
      `Content from url ${url} (downloads/<slug>) matches required SHA256 <sha>`,
      "Creating directory <task>/a/b",
      "Copying file 'downloads/<slug>' to '<task>/<slug>'",
      "Extracting tar.gz file <task>/<slug> to '<task>/a/b'",
      "Removing file '<task>/<slug>'",
      "Successfully mounted writable directory cache '<task>/a/b'",
      'Preserving cache: Moving "<task>/a/b" to "caches/<slug>"',
    ]);
    const warm = await mountTask(task, [entry]);
    assert.equal(await Deno.readTextFile(warm.at("a/b/more")), "more");
    assert.equal(await Deno.readTextFile(warm.at("a/b/dir/file")), "from the archive\n");
    assert.deepEqual(lines(await warm.end({ aborted: false, exitCode: 0 })), [
      "Moving existing writable directory cache build from caches/<slug> to <task>/a/b",
      "Creating directory <task>/a",
      "Successfully mounted writable directory cache '<task>/a/b'",
      'Preserving cache: Moving "<task>/a/b" to "caches/<slug>"',
    ]);
    assert.equal(server.requests.length, 1, "content is only for a new cache");
  });
});

Deno.test("content with a wrong hash is downloaded again by the next task, and fails both", async () => {
  await using server = serving(hello);
  const url = `${server.url}/x`;
  const required = sha256(archive);
  await withTaskRun({}, async ({ task }) => {
    for (const round of [1, 2]) {
      const mounted = await mountTask(task, [{ file: "file", content: { url, sha256: required } }]);
      assert.deepEqual(lines(await mounted.end()), [
        `Downloading url ${url} to downloads/<slug>`,
        `Downloaded 6 bytes with SHA256 <sha> from url ${url} to downloads/<slug>`,
        `Removing cache urlcontent:${url} from cache table`,
        `Deleting cache urlcontent:${url} file(s) at downloads/<slug>`,
      ]);
      assert.equal(mounted.problem?.name, "TaskFailure");
      assert.match(
        mounted.problem.message,
        /^\[mounts\] Download downloads\/\S+ of url \S+ has SHA256 \w+ but task definition explicitly requires \w+; not/,
      );
      assert.equal(server.requests.length, round);
    }
    assert.deepEqual([...Deno.readDirSync(`${task.worker.directory}/downloads`)], []);
  });
});

Deno.test("a cache that its task has moved away fails the task, and the next one gets a fresh one", async () => {
  await withTaskRun({}, async ({ task }) => {
    const entry = { cacheName: "build", directory: "cache" };
    const first = await mountTask(task, [entry]);
    await Deno.rename(first.at("cache"), first.at("elsewhere"));
    const log = lines(await first.end({ aborted: false, exitCode: 0 }));
    assert.deepEqual(log.slice(-4), [
      'Preserving cache: Moving "<task>/cache" to "caches/<slug>"',
      "Removing cache build from cache table",
      "Deleting cache build file(s) at caches/<slug>",
      "error Could not unmount <nil> due to: '<task>/cache does not exist any more'",
    ]);
    assert.match(first.problem?.message ?? "", /^\[mounts\] could not persist cache "build" due to /);
    const second = await mountTask(task, [entry]);
    assert.match(second.log(), /^No existing writable directory cache 'build'/);
    await second.end();
  });
});

Deno.test("raw and base64 content becomes the file it describes (W-43)", async () => {
  await withTaskRun({}, async ({ task }) => {
    const mounted = await mountTask(task, [
      { file: "raw", content: { raw: "Hello Raw!" } },
      { file: "base64", content: { base64: "SGVsbG8gQmFzZTY0IQ==" } },
    ]);
    assert.equal(await Deno.readTextFile(mounted.at("raw")), "Hello Raw!");
    assert.equal(await Deno.readTextFile(mounted.at("base64")), "Hello Base64!");
    assert.deepEqual(lines(await mounted.end()).slice(0, 3), [
      "Copying Raw (Hello Raw!) to downloads/<slug>",
      "Copied 10 bytes from Raw (Hello Raw!) to downloads/<slug>",
      "warn Download downloads/<slug> of Raw (Hello Raw!) has SHA256 <sha> but task payload does not declare a " +
      "required value, so content authenticity cannot be verified",
    ]);
  });
});

Deno.test("W-62: an attempt answered with 5xx leaves a warning with the pause before the next", async () => {
  await using server = new ScriptedServer(({ number }) =>
    number === 1
      ? [answerHead("503 Service Unavailable", { "content-length": 0 })]
      : [answerHead("200 OK", { "content-length": hello.length }), hello]
  );
  await withTaskRun({}, async ({ task }) => {
    const mounted = await mountTask(task, [{ file: "file", content: { url: `${server.url}/x` } }]);
    const log = lines(await mounted.end());
    assert.match(
      log[1] ?? "",
      /^warn Download of url \S+ failed on this attempt: HTTP 503 Service Unavailable \(next attempt in \d+ms\)$/,
    );
    assert.match(log[2] ?? "", /^Downloading url /);
  });
});

Deno.test("a download that is refused fails the task once, with the reason", async () => {
  await using server = new ScriptedServer(() => [answerHead("404 Not Found", { "content-length": 0 })]);
  const url = `${server.url}/x`;
  await withTaskRun({}, async ({ task }) => {
    const mounted = await mountTask(task, [{ file: "file", content: { url } }]);
    assert.deepEqual(lines(await mounted.end()), [
      `Downloading url ${url} to downloads/<slug>`,
      `error Could not fetch from url ${url} into file downloads/<slug>: HTTP 404 Not Found`,
      `error Could not fetch from url ${url} into file  due to HTTP 404 Not Found`,
    ]);
    assert.equal(mounted.problem?.message, `[mounts] Could not fetch from url ${url}: HTTP 404 Not Found`);
  });
});
