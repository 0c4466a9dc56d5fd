/** Artifacts of storage type `object`, against the object service (spec 03 §4.1, acceptance 8 of §10). */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { FaultSchedule, type RequestRecord } from "../../../src/embedded/mod.ts";
import type { TaskFiles } from "../../../src/engine/engine.ts";
import { artifactUploads } from "../../../src/features/artifact_uploads/mod.ts";
import { backingLog } from "../../../src/features/backing_log/mod.ts";
import type { FaultRule } from "../../../src/embedded/mod.ts";
import { credentialsFromWire } from "../../../src/services/credentials.ts";
import { TaskException } from "../../../src/task/errors.ts";
import type { PayloadArtifact } from "../../../src/task/payload.ts";
import { type FakeTaskRun, runFeature, type TaskRunSetup, withTaskRun } from "../../support/fake_task_run.ts";

/** The same run, in a worker that creates objects. */
function withObjects(run: FakeTaskRun): FakeTaskRun {
  const { task } = run;
  const config = { ...task.worker.config, createObjectArtifacts: true };
  return { ...run, task: Object.create(task, { worker: { value: { ...task.worker, config } } }) };
}

async function withArtifacts(
  artifacts: readonly PayloadArtifact[],
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (run: FakeTaskRun) => Promise<void> | void,
  setup: TaskRunSetup = {},
): Promise<void> {
  await withTaskRun({ ...setup, payload: { artifacts, ...setup.payload } }, async (plain) => {
    const run = withObjects(plain);
    for (const [path, content] of Object.entries(files)) put(run.task.context.directory, path, content);
    await runFeature(run.task, artifactUploads);
    await use(run);
  });
}

function put(directory: string, path: string, content: string | Uint8Array): void {
  const absolute = join(directory, path);
  Deno.mkdirSync(join(absolute, ".."), { recursive: true });
  Deno.writeFileSync(absolute, typeof content === "string" ? new TextEncoder().encode(content) : content);
}

function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) % 256);
}

function hex(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** The object as the service gives it out, with the hashes it knows. */
async function download({ task, taskcluster }: FakeTaskRun, name: string) {
  const objectName = `t/${task.taskId}/${task.runId}/${name}`;
  const answer = await taskcluster.services.object.objects.startDownload(objectName, { getUrl: true });
  assert.ok("hashes" in answer);
  const response = await fetch(answer.url);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { bytes, hashes: answer.hashes, headers: response.headers };
}

function assertException({ task }: FakeTaskRun, reason: string, message: RegExp): void {
  assert.ok(task.outcome.first instanceof TaskException, String(task.outcome.first));
  assert.equal(task.outcome.first.reason, reason);
  assert.match(task.outcome.first.message, message);
}

function faults(...rules: FaultRule[]): TaskRunSetup {
  return { faults: new FaultSchedule(rules) };
}

const oneFile: readonly PayloadArtifact[] = [{ type: "file", path: "a.txt" }];
const small = { "a.txt": "hello" };
/** Too large to travel inside a request. */
const large = { "a.txt": bytesOf(8192) };
const oneMegabyte = 1024 * 1024;

for (const size of [0, 1, 8191, 8192, oneMegabyte, oneMegabyte + 1, 5_000_000]) {
  const inline = size < 8192;
  Deno.test(`an object of ${size} bytes is stored ${inline ? "inside the request" : "by PUT"}, with its hashes`, () => {
    const content = bytesOf(size);
    return withArtifacts(oneFile, { "a.txt": content }, async (run) => {
      assert.equal(run.task.outcome.first, undefined);
      const { bytes, hashes, headers } = await download(run, "a.txt");
      assert.deepEqual(bytes, content);
      assert.deepEqual(hashes, { sha256: hex("sha256", content), sha512: hex("sha512", content) });
      assert.equal(headers.get("content-type"), "text/plain; charset=utf-8");
      assert.equal(headers.get("content-encoding"), null);
      const { requests } = run.taskcluster;
      assert.equal(requests.count("store.put"), inline ? 0 : 1);
      for (const call of ["object.createUpload", "object.finishUpload", "queue.finishArtifact"]) {
        assert.equal(requests.count(call), 1, call);
      }
    });
  });
}

Deno.test("W-60: an object is announced without its length, so that the queue can finish it", () =>
  withArtifacts(oneFile, small, ({ task, taskcluster }) => {
    assert.equal(task.outcome.first, undefined);
    const [listed] = taskcluster.queue.artifacts(task.taskId);
    assert.equal(listed?.name, "a.txt");
    assert.equal(listed?.storageType, "object");
    assert.equal(listed?.contentLength, undefined);
  }));

Deno.test("an object holds the bytes as they are, whatever content encoding its entry wishes for", () =>
  withArtifacts([{ ...oneFile[0]!, contentEncoding: "gzip" }], small, async (run) => {
    assert.equal(new TextDecoder().decode((await download(run, "a.txt")).bytes), "hello");
    assert.match(run.taskLog(), /Uploaded artifact a\.txt: 5 B, in \d+ms/);
    assert.match(
      run.workerLog(),
      /Uploading artifact a\.txt from file \S+ with content type \\?"text\/plain; charset=utf-8\\?" and expiry /,
    );
  }));

Deno.test("chain of trust gets the hash of an object's content", () =>
  withArtifacts(oneFile, large, ({ task }) => {
    assert.equal(task.published.get("a.txt")?.sha256, hex("sha256", large["a.txt"]));
  }, { payload: { features: { chainOfTrust: true } } }));

Deno.test("W-04: an object holds the file that was checked, even if its path leads elsewhere by then", () => {
  const content = bytesOf(2 * oneMegabyte);
  const swapping = (files: TaskFiles): TaskFiles => ({
    ...files,
    open: async (path) => {
      const file = await files.open(path);
      Deno.removeSync(path);
      Deno.symlinkSync("/etc/hostname", path);
      return file;
    },
  });
  return withArtifacts(oneFile, { "a.txt": content }, async (run) => {
    assert.deepEqual((await download(run, "a.txt")).bytes, content);
    const left = (await Array.fromAsync(Deno.readDir(run.task.privateDirectory))).map(({ name }) => name);
    assert.deepEqual(left, ["live_backing.log"], "nothing is copied");
  }, { context: (context) => ({ ...context, files: swapping(context.files) }) });
});

Deno.test("W-16: a file listed alone and through its directory becomes one object, announced once", () =>
  withArtifacts([{ type: "directory", path: "d" }, { type: "file", path: "d/a.txt" }], {
    "d/a.txt": "one",
    "d/b.txt": "two",
  }, ({ task, taskcluster }) => {
    assert.equal(task.outcome.first, undefined);
    assert.equal(taskcluster.requests.count("queue.createArtifact"), 2);
  }));

Deno.test("W-16: two files of one name are a malformed payload at once, and the first stays", () =>
  withArtifacts([{ type: "file", path: "a", name: "x" }, { type: "file", path: "b", name: "x" }], {
    a: "first",
    b: "second",
  }, async (run) => {
    assertException(run, "malformed-payload", /there was a conflict uploading artifact x/);
    assert.equal(new TextDecoder().decode((await download(run, "x")).bytes), "first");
    assert.equal(run.taskcluster.requests.count("queue.createArtifact"), 1);
  }));

Deno.test("W-21: a PUT that failed after its address expired is repeated with a fresh one", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (plain) => {
    const run = withObjects(plain);
    const { taskcluster, clock } = run;
    put(run.task.context.directory, "a.txt", large["a.txt"]);
    taskcluster.faults.add({
      service: "store",
      entry: "put",
      calls: 2,
      effect: { kind: "status", status: 503 },
    });
    // An hour passes between the first attempt and the second, not between the second and the third.
    const passing = { ...clock, passedMs: 0 };
    const worker = {
      ...run.task.worker,
      clock: {
        nowMs: () => clock.nowMs() + passing.passedMs,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (durationMs: number) => {
          passing.passedMs = passing.passedMs === 0 ? 3_600_000 : 0;
          return clock.sleep(durationMs);
        },
      },
    };
    await runFeature(Object.create(run.task, { worker: { value: worker } }), artifactUploads);
    assert.equal(run.task.outcome.first, undefined);
    assert.equal(taskcluster.requests.count("store.put"), 3);
    assert.equal(taskcluster.requests.count("object.createUpload"), 2);
    assert.equal(taskcluster.requests.count("queue.createArtifact"), 1);
    assert.deepEqual((await download(run, "a.txt")).bytes, large["a.txt"]);
  }));

Deno.test("an object's PUT is repeated from the start after a broken connection, and hashed anew", () => {
  const content = bytesOf(3 * oneMegabyte);
  return withArtifacts(oneFile, { "a.txt": content }, async (run) => {
    assert.equal(run.task.outcome.first, undefined);
    assert.equal(run.taskcluster.requests.count("store.put"), 2);
    assert.equal((await download(run, "a.txt")).hashes["sha512"], hex("sha512", content));
  }, faults({ service: "store", entry: "put", calls: 1, effect: { kind: "reset" } }));
});

for (const entry of ["createUpload", "finishUpload"]) {
  Deno.test(`${entry} may be answered 500 or not at all for a while`, () =>
    withArtifacts(
      oneFile,
      large,
      async (run) => {
        assert.equal(run.task.outcome.first, undefined);
        assert.deepEqual((await download(run, "a.txt")).bytes, large["a.txt"]);
      },
      faults(
        { service: "object", entry, calls: 1, effect: { kind: "status", status: 500 } },
        { service: "object", entry, fromCall: 2, calls: 1, effect: { kind: "lostAnswer" } },
      ),
    ));
}

interface Trouble {
  readonly what: string;
  readonly rule: FaultRule;
  readonly line: RegExp;
}

const troubles: readonly Trouble[] = [
  {
    what: "createArtifact stays at 500",
    rule: { service: "queue", entry: "createArtifact", effect: { kind: "status", status: 500 } },
    line: /Error uploading artifact: TASK EXCEPTION due to response code 500 from Queue/,
  },
  {
    what: "createUpload refuses",
    rule: { service: "object", entry: "createUpload", effect: { kind: "status", status: 403 } },
    line: /Error uploading artifact: a\.txt: object\.createUpload: HTTP 403/,
  },
  {
    what: "the store refuses",
    rule: { service: "store", entry: "put", effect: { kind: "status", status: 403 } },
    line: /Error uploading artifact: a\.txt: Response 403/,
  },
  {
    what: "finishUpload stays at 500",
    rule: { service: "object", entry: "finishUpload", effect: { kind: "status", status: 500 } },
    line: /Error uploading artifact: a\.txt: object\.finishUpload: HTTP 500/,
  },
  {
    what: "finishArtifact refuses",
    rule: { service: "queue", entry: "finishArtifact", effect: { kind: "status", status: 400 } },
    line: /Error finishing artifact: a\.txt: queue\.finishArtifact: HTTP 400/,
  },
];

for (const { what, rule, line } of troubles) {
  Deno.test(`a task is resolved resource-unavailable when ${what}`, () =>
    withArtifacts(oneFile, large, (run) => {
      assertException(run, "resource-unavailable", /a\.txt/);
      assert.match(run.taskLog(), new RegExp(`^\\[taskcluster:error\\] ${line.source}`, "m"));
    }, faults(rule)));

  Deno.test(`an optional object costs the task nothing when ${what}`, () =>
    withArtifacts([{ ...oneFile[0]!, optional: true }], large, (run) => {
      assert.equal(run.task.outcome.first, undefined);
      assert.match(run.taskLog(), /Optional artifact a\.txt could not be uploaded/);
      assert.ok(!run.taskLog().includes("[taskcluster:error]"));
    }, faults(rule)));
}

Deno.test("W-13: an object of a run that is cancelled before it is finished is no problem of the task", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (plain) => {
    const run = withObjects(plain);
    put(run.task.context.directory, "a.txt", "hello");
    const { taskcluster } = run;
    const reached = taskcluster.requests.next(({ entry }: RequestRecord) => entry === "finishUpload");
    taskcluster.faults.add({ entry: "finishArtifact", calls: 1, effect: { kind: "status", status: 500 } });
    taskcluster.faults.add({ entry: "finishArtifact", effect: { kind: "status", status: 409 } });
    const cancelled = reached.then(() => taskcluster.queue.cancelTask(run.task.taskId));
    await Promise.all([cancelled, runFeature(run.task, artifactUploads)]);
    assert.equal(run.task.outcome.first, undefined);
    assert.match(
      run.workerLog(),
      /Artifact a\.txt is not published: The run is resolved already \(canceled\)/,
    );
  }));

Deno.test("W-19: an object is finished with the credentials of that moment", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (plain) => {
    const run = withObjects(plain);
    put(run.task.context.directory, "a.txt", large["a.txt"]);
    let announced = false;
    const { requests, createClient } = run.taskcluster;
    const first = run.task.credentials();
    const later = createClient("after-reclaim", ["queue:create-artifact:*"]);
    const told = requests.next(({ entry }: RequestRecord) => entry === "createUpload").then(() =>
      announced = true
    );
    const finishing = requests.next(({ entry }: RequestRecord) => entry === "finishArtifact");
    const task = Object.create(run.task, { credentials: { value: () => announced ? later : first } });
    await runFeature(task, artifactUploads);
    await told;
    assert.equal(run.task.outcome.first, undefined);
    assert.equal((await finishing).clientId, "after-reclaim");
  }));

Deno.test("the upload of an object stops at once when the run is lost", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (plain) => {
    const run = withObjects(plain);
    put(run.task.context.directory, "a.txt", bytesOf(2 * oneMegabyte));
    run.taskcluster.faults.add({ service: "store", effect: { kind: "delay", delayMs: 3_600_000 } });
    const begun = run.taskcluster.requests.next(({ entry }: RequestRecord) => entry === "createUpload");
    const ended = runFeature(run.task, artifactUploads);
    await begun;
    run.lose();
    await ended;
    assert.equal(run.task.outcome.first, undefined);
    assert.equal(run.taskcluster.requests.count("queue.finishArtifact"), 0);
  }));

for (const lines of [1, 100_000]) {
  Deno.test(`a log of ${lines} line(s) becomes an object as it is`, () =>
    withTaskRun({}, async (plain) => {
      const run = withObjects(plain);
      const undo = await backingLog.start(run.task);
      for (let line = 0; line < lines; line++) run.task.log.info(`line ${line}`);
      await undo?.(run.task.outcome);
      assert.equal(run.task.outcome.first, undefined);
      const { bytes, hashes } = await download(run, "public/logs/live_backing.log");
      const log = Deno.readFileSync(run.task.log.path);
      assert.deepEqual(bytes, new Uint8Array(log));
      assert.equal(hashes["sha256"], hex("sha256", log));
    }));
}

Deno.test("credentials of an upload come with the queue's answer and are good for its object alone", () =>
  withArtifacts(oneFile, small, async ({ task }) => {
    const request = { storageType: "object", expires: task.definition.expires, contentType: "x/y" } as const;
    const answer = await task.worker.queue.createArtifact(task.credentials(), task, {
      name: "other",
      request,
    });
    assert.ok(answer.storageType === "object");
    const call = {
      service: "object",
      name: "createUpload",
      method: "PUT",
      body: {
        projectId: answer.projectId,
        uploadId: answer.uploadId,
        expires: answer.expires,
        proposedUploadMethods: {},
      },
      credentials: credentialsFromWire(answer.credentials),
      retryForMs: 0,
    } as const;
    const { client } = task.worker;
    await client.call({ ...call, path: ["upload", answer.name] });
    await assert.rejects(client.call({ ...call, path: ["upload", `${answer.name}-2`] }), { status: 403 });
  }));
