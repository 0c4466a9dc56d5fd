/** Payload artifacts from the task directory to the store (spec 03 §1 to §3, acceptance 1 to 7 of §10). */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FaultSchedule } from "../../../src/embedded/mod.ts";
import { type TaskContext, TaskFileError, type TaskFiles } from "../../../src/engine/engine.ts";
import { artifactUploads } from "../../../src/features/artifact_uploads/mod.ts";
import { TaskException, TaskFailure } from "../../../src/task/errors.ts";
import type { PayloadArtifact } from "../../../src/task/payload.ts";
import { type FakeTaskRun, runFeature, type TaskRunSetup, withTaskRun } from "../../support/fake_task_run.ts";

/** Runs the feature over files made by `make` in the task directory. */
async function withArtifacts(
  artifacts: readonly PayloadArtifact[],
  make: (directory: string) => Promise<void> | void,
  use: (run: FakeTaskRun) => Promise<void> | void,
  setup: TaskRunSetup = {},
): Promise<void> {
  await withTaskRun({ ...setup, payload: { artifacts, ...setup.payload } }, async (run) => {
    await make(run.task.context.directory);
    await runFeature(run.task, artifactUploads);
    await use(run);
  });
}

function put(directory: string, path: string, content: string | Uint8Array = path): void {
  const absolute = join(directory, path);
  Deno.mkdirSync(join(absolute, ".."), { recursive: true });
  if (typeof content === "string") Deno.writeTextFileSync(absolute, content);
  else Deno.writeFileSync(absolute, content);
}

function names({ task, taskcluster }: FakeTaskRun): string[] {
  return taskcluster.queue.artifacts(task.taskId).map(({ name }) => name);
}

function details({ task, taskcluster }: FakeTaskRun, name: string) {
  return taskcluster.queue.artifact(task.taskId, name).details;
}

function stored({ task, taskcluster }: FakeTaskRun, name: string) {
  const open = taskcluster.queue.stored(task.taskId, name);
  assert.ok(open, `${name} has content`);
  return { ...open, bytes: Deno.readFileSync(open.path) };
}

function assertFailure({ task }: FakeTaskRun, message: string): void {
  assert.ok(task.outcome.first instanceof TaskFailure, String(task.outcome.first));
  assert.equal(task.outcome.first.message, message);
}

function assertException({ task }: FakeTaskRun, reason: string, message: RegExp): void {
  assert.ok(task.outcome.first instanceof TaskException, String(task.outcome.first));
  assert.equal(task.outcome.first.reason, reason);
  assert.match(task.outcome.first.message, message);
}

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

Deno.test("a file artifact is stored under its path, gzipped, with the type of its extension", () =>
  withArtifacts(
    [{ type: "file", path: "public/build/target.html" }],
    (directory) => put(directory, "public/build/target.html", "<p>hello</p>"),
    (run) => {
      assert.equal(run.task.outcome.first, undefined);
      const { contentType, contentEncoding, bytes } = stored(run, "public/build/target.html");
      assert.equal(contentType, "text/html; charset=utf-8");
      assert.equal(contentEncoding, "gzip");
      assert.equal(gunzipSync(bytes).toString(), "<p>hello</p>");
      assert.deepEqual(run.task.published.get("public/build/target.html"), {
        name: "public/build/target.html",
        sizeBytes: 12,
      });
      const [listed] = run.taskcluster.queue.artifacts(run.task.taskId);
      assert.equal(listed?.contentLength, 12);
      assert.equal(listed?.expires, run.task.definition.expires);
    },
  ));

Deno.test("a file artifact obeys explicit name, type, encoding and expiry", () => {
  const expires = inAnHour();
  return withArtifacts(
    [{
      type: "file",
      path: "./out//x.txt",
      name: "public/renamed",
      contentType: "text/x-odd",
      contentEncoding: "identity",
      expires,
    }],
    (directory) => put(directory, "out/x.txt", "plain"),
    (run) => {
      const { contentType, contentEncoding, bytes } = stored(run, "public/renamed");
      assert.equal(contentType, "text/x-odd");
      assert.equal(contentEncoding, "identity");
      assert.equal(new TextDecoder().decode(bytes), "plain");
      assert.equal(run.taskcluster.queue.artifacts(run.task.taskId)[0]?.expires, expires);
    },
    { definition: { deadline: new Date(Date.now() + 1_800_000).toISOString() } },
  );
});

Deno.test("a file artifact without a name is called by its path exactly as written", () =>
  withArtifacts(
    [{ type: "file", path: "./a//b.txt" }],
    (directory) => put(directory, "a/b.txt"),
    (run) => assert.deepEqual(names(run), ["./a//b.txt"]),
  ));

Deno.test("a directory artifact publishes every file below it under cleaned names", () =>
  withArtifacts(
    [{ type: "directory", path: "./pub//", name: "public" }, { type: "directory", path: "." }],
    (directory) => {
      put(directory, "pub/b.json", "{}");
      put(directory, "pub/a/deep.png", "png");
      Deno.mkdirSync(join(directory, "pub/empty"));
    },
    (run) => {
      assert.equal(run.task.outcome.first, undefined);
      assert.deepEqual(names(run), ["pub/a/deep.png", "pub/b.json", "public/a/deep.png", "public/b.json"]);
      assert.equal(stored(run, "public/a/deep.png").contentEncoding, "identity");
      assert.equal(stored(run, "public/b.json").contentType, "application/json");
    },
  ));

Deno.test("an empty directory publishes nothing and fails nothing", () =>
  withArtifacts(
    [{ type: "directory", path: "empty" }],
    (directory) => Deno.mkdirSync(join(directory, "empty")),
    (run) => {
      assert.deepEqual(names(run), []);
      assert.equal(run.task.outcome.first, undefined);
    },
  ));

interface BadSpot {
  readonly what: string;
  readonly entry: PayloadArtifact;
  readonly make?: (directory: string) => Promise<void> | void;
  readonly reason: string;
  readonly message: (directory: string) => string;
}

const badSpots: readonly BadSpot[] = [
  {
    what: "a missing file",
    entry: { type: "file", path: "gone" },
    reason: "file-missing-on-worker",
    message: (directory) => `Could not read file '${directory}/gone'`,
  },
  {
    what: "a missing directory",
    entry: { type: "directory", path: "gone" },
    reason: "file-missing-on-worker",
    message: (directory) => `Could not read directory '${directory}/gone'`,
  },
  {
    what: "a directory where a file is wanted",
    entry: { type: "file", path: "d" },
    make: (directory) => Deno.mkdirSync(join(directory, "d")),
    reason: "invalid-resource-on-worker",
    message: (directory) => `File artifact '${directory}/d' exists as a directory, not a file, on the worker`,
  },
  {
    what: "a file where a directory is wanted",
    entry: { type: "directory", path: "f" },
    make: (directory) => put(directory, "f"),
    reason: "invalid-resource-on-worker",
    message: (directory) =>
      `Directory artifact '${directory}/f' exists as a file, not a directory, on the worker`,
  },
  {
    what: "a dangling symbolic link",
    entry: { type: "directory", path: "d", name: "x" },
    make: (directory) => {
      Deno.mkdirSync(join(directory, "d"));
      Deno.symlinkSync("nowhere", join(directory, "d/link"));
    },
    reason: "file-missing-on-worker",
    message: (directory) => `Could not read file '${directory}/d/link'`,
  },
  {
    what: "W-05: a symbolic link to a directory inside a directory artifact",
    entry: { type: "directory", path: "d", name: "x" },
    make: (directory) => {
      Deno.mkdirSync(join(directory, "d"));
      Deno.symlinkSync("..", join(directory, "d/link"));
    },
    reason: "invalid-resource-on-worker",
    message: (directory) =>
      `File artifact '${directory}/d/link' exists as a directory, not a file, on the worker: ` +
      "it is a symbolic link to a directory, which is not followed",
  },
  {
    what: "W-05: a directory artifact whose own path is a symbolic link",
    entry: { type: "directory", path: "link", name: "x" },
    make: (directory) => {
      Deno.mkdirSync(join(directory, "d"));
      Deno.symlinkSync("d", join(directory, "link"));
    },
    reason: "invalid-resource-on-worker",
    message: (directory) =>
      `File artifact '${directory}/link' exists as a directory, not a file, on the worker: ` +
      "it is a symbolic link to a directory, which is not followed",
  },
  {
    what: "W-01: a named pipe",
    entry: { type: "file", path: "pipe" },
    make: async (directory) => {
      await new Deno.Command("mkfifo", { args: [join(directory, "pipe")] }).output();
    },
    reason: "file-not-readable-on-worker",
    message: (directory) =>
      `Could not copy file '${directory}/pipe' to temporary location as task user: ` +
      "it is a named pipe, not a regular file",
  },
  {
    what: "a device",
    entry: { type: "file", path: "/dev/zero", name: "x" },
    reason: "file-not-readable-on-worker",
    message: () =>
      "Could not copy file '/dev/zero' to temporary location as task user: it is a device, not a regular file",
  },
];

for (const { what, entry, make, reason, message } of badSpots) {
  Deno.test(`${what} becomes an error artifact and fails the task`, () =>
    withArtifacts([entry], (directory) => make?.(directory), (run) => {
      const [name] = names(run);
      assert.ok(name !== undefined);
      const expected = message(run.task.context.directory);
      assert.deepEqual(details(run, name), { storageType: "error", reason, message: expected });
      assertFailure(run, `${reason}: ${expected}`);
      assert.ok(run.taskLog().includes(`TASK FAILURE during artifact upload: ${reason}: ${expected}`));
    }));

  Deno.test(`${what} fails nothing when it is optional, and says nothing at error level`, () =>
    withArtifacts([{ ...entry, optional: true }], (directory) => make?.(directory), (run) => {
      assert.equal(names(run).length, 1);
      assert.equal(run.task.outcome.first, undefined);
      assert.ok(!run.taskLog().includes("[taskcluster:error]"), run.taskLog());
    }));
}

Deno.test("a socket becomes an error artifact", () =>
  withTaskRun({ payload: { artifacts: [{ type: "file", path: "s" }] } }, async (run) => {
    const path = join(run.task.context.directory, "s");
    using _listener = Deno.listen({ transport: "unix", path });
    await runFeature(run.task, artifactUploads);
    assertFailure(run, `file-missing-on-worker: Could not read file '${path}'`);
  }));

Deno.test("a symbolic link to a file is published under the link's name", () =>
  withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => {
      put(directory, "elsewhere", "content");
      Deno.mkdirSync(join(directory, "d"));
      Deno.symlinkSync("../elsewhere", join(directory, "d/link.txt"));
    },
    (run) => assert.equal(gunzipSync(stored(run, "d/link.txt").bytes).toString(), "content"),
  ));

Deno.test("a link to a file in a loop of links ends as a missing file", () =>
  withArtifacts(
    [{ type: "file", path: "a" }],
    (directory) => {
      Deno.symlinkSync("b", join(directory, "a"));
      Deno.symlinkSync("a", join(directory, "b"));
    },
    (run) =>
      assertFailure(run, `file-missing-on-worker: Could not read file '${run.task.context.directory}/a'`),
  ));

Deno.test("W-06: a directory that can't be listed gives one error artifact, not a conflict", () =>
  withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => Deno.mkdirSync(join(directory, "d")),
    (run) => {
      assertFailure(
        run,
        `file-missing-on-worker: Could not read directory '${run.task.context.directory}/d'`,
      );
      assert.deepEqual(names(run), ["d"]);
    },
    { context: (context) => ({ ...context, files: unlistable(context.files) }) },
  ));

function unlistable(files: TaskFiles): TaskFiles {
  return { ...files, list: () => Promise.reject(new TaskFileError("not-readable", "Permission denied")) };
}

Deno.test("a file that only the worker may read is refused in the helper's words, and optional it is no failure", async () => {
  const entry: PayloadArtifact = { type: "file", path: "../../secret", name: "s" };
  const asTaskUser = (context: TaskContext): TaskContext => ({
    ...context,
    identity: { uid: 1, gid: 1, groups: [] },
    files: {
      ...context.files,
      open: () => Promise.reject(new TaskFileError("not-readable", "Permission denied")),
    },
  });
  await withArtifacts([entry], () => {}, (run) => {
    const path = join(run.task.context.directory, "../../secret");
    assertFailure(
      run,
      `file-not-readable-on-worker: Could not copy file '${path}' to temporary location as task user: ` +
        `failed to copy file ${path} to temporary location as task user: exit status 76`,
    );
  }, { context: asTaskUser });
  await withArtifacts(
    [{ ...entry, optional: true }],
    () => {},
    (run) => assert.equal(run.task.outcome.first, undefined),
    { context: asTaskUser },
  );
});

Deno.test("W-08: an error message is cut to what the queue takes", () => {
  const path = Array.from({ length: 60 }, () => "d".repeat(90)).join("/");
  return withArtifacts([{ type: "file", path, name: "long" }], () => {}, (run) => {
    const error = details(run, "long");
    assert.equal(error.storageType, "error");
    assert.equal("message" in error && error.message.length, 4096);
    assert.ok(run.task.outcome.first instanceof TaskFailure);
  });
});

Deno.test("W-10: a file whose name is not printable ASCII fails the task by name, and the rest is published", () =>
  withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => {
      for (const name of ["a.txt", "é.txt", "new\nline", "z.txt"]) put(directory, `d/${name}`);
    },
    (run) => {
      assert.deepEqual(names(run), ["d/a.txt", "d/z.txt"]);
      assert.equal(run.task.outcome.problems.length, 2);
      assert.ok(run.task.outcome.problems.every((problem) => problem instanceof TaskFailure));
      assert.match(String(run.task.outcome.problems[1]?.message), /d\/é\.txt/);
    },
  ));

Deno.test("W-16: the same name for two different files is malformed, with the first one published", () =>
  withArtifacts(
    [{ type: "file", path: "a.txt", name: "x" }, { type: "file", path: "b.txt", name: "x" }],
    (directory) => {
      put(directory, "a.txt", "first");
      put(directory, "b.txt", "second");
    },
    (run) => {
      assertException(run, "malformed-payload", /there was a conflict uploading artifact x.*a\.txt.*b\.txt/s);
      assert.equal(gunzipSync(stored(run, "x").bytes).toString(), "first");
    },
  ));

Deno.test("W-16: the same name with different content types is malformed, with one published", () =>
  withArtifacts(
    [
      { type: "file", path: "a.txt", name: "x" },
      { type: "file", path: "a.txt", name: "x", contentType: "text/x-other" },
    ],
    (directory) => put(directory, "a.txt"),
    (run) => {
      assertException(run, "malformed-payload", /conflict uploading artifact x/);
      assert.equal(stored(run, "x").contentType, "text/plain; charset=utf-8");
    },
  ));

Deno.test("W-16: a file listed alone and through its directory is uploaded once and accepted", () =>
  withArtifacts(
    [{ type: "file", path: "d/a.txt" }, { type: "directory", path: "d" }],
    (directory) => put(directory, "d/a.txt"),
    (run) => {
      assert.equal(run.task.outcome.first, undefined);
      assert.equal(run.taskcluster.requests.count("store.put"), 1);
    },
  ));

Deno.test("W-18: several failures are recorded in the order of payload and names", () =>
  withArtifacts(
    [{ type: "file", path: "z" }, { type: "directory", path: "d" }, { type: "file", path: "a" }],
    (directory) => {
      Deno.mkdirSync(join(directory, "d"));
      for (const name of ["2", "10", "1"]) Deno.symlinkSync("nowhere", join(directory, "d", name));
    },
    ({ task }) => {
      const missing = (path: string) =>
        `file-missing-on-worker: Could not read file '${task.context.directory}/${path}'`;
      assert.deepEqual(
        task.outcome.problems.map(({ message }) => message),
        ["z", "d/1", "d/10", "d/2", "a"].map(missing),
      );
    },
  ));

Deno.test("reserved names are skipped with a warning, whatever lies there, and fail nothing", () =>
  withArtifacts(
    [{ type: "directory", path: "public" }, {
      type: "file",
      path: "gone",
      name: "public/chain-of-trust.json",
    }],
    (directory) => {
      put(directory, "public/logs/live.log", "fake");
      put(directory, "public/other.txt");
    },
    (run) => {
      assert.deepEqual(names(run), ["public/other.txt"]);
      assert.equal(run.task.outcome.first, undefined);
      const line = (name: string, feature: string) =>
        new RegExp(
          `\\[taskcluster:warn [^\\]]+\\] Not uploading artifact ${name} found in task.payload.artifacts section, ` +
            `since this will be uploaded later by ${feature}\n`,
        );
      assert.match(run.taskLog(), line("public/logs/live.log", "Live Log"));
      assert.match(run.taskLog(), line("public/chain-of-trust.json", "Chain of Trust"));
    },
    { reserved: { "public/logs/live.log": "Live Log", "public/chain-of-trust.json": "Chain of Trust" } },
  ));

Deno.test("expiries outside the task's life are malformed before the commands, and nothing is uploaded", async () => {
  const deadline = "2030-01-01T00:00:00.000Z";
  const expires = "2030-02-01T00:00:00.000Z";
  const expectations = [
    [
      "2029-12-31T23:59:58.999Z",
      `malformed payload: artifact 'a' expires before task deadline (2029-12-31T23:59:58.999Z is before ${deadline})`,
    ],
    [
      "2030-02-01T00:00:01.001Z",
      `malformed payload: artifact 'a' expires after task expiry (2030-02-01T00:00:01.001Z is after ${expires})`,
    ],
    ["2029-12-31T23:59:59.000Z", undefined],
    ["2030-02-01T00:00:01.000Z", undefined],
    ["0001-01-01T00:00:00.000Z", undefined],
  ] as const;
  for (const [explicit, message] of expectations) {
    await withTaskRun({
      payload: { artifacts: [{ type: "file", path: "a", expires: explicit }] },
    }, async ({ task, taskcluster }) => {
      const bent = { ...task, definition: { ...task.definition, deadline, expires } };
      const start = async () => await artifactUploads.start(bent);
      if (message === undefined) await assert.doesNotReject(start);
      else await assert.rejects(start, { name: "TaskException", reason: "malformed-payload", message });
      assert.equal(taskcluster.requests.count("queue.createArtifact"), 0);
    });
  }
});

Deno.test("W-09: an expiry up to a second after the task's is cut down to it", () =>
  withTaskRun({}, async (run) => {
    const late = new Date(Date.parse(run.task.definition.expires) + 900).toISOString();
    put(run.task.context.directory, "a.txt");
    run.task.payload = { ...run.task.payload, artifacts: [{ type: "file", path: "a.txt", expires: late }] };
    await runFeature(run.task, artifactUploads);
    assert.equal(run.task.outcome.first, undefined);
    assert.equal(run.taskcluster.queue.artifacts(run.task.taskId)[0]?.expires, run.task.definition.expires);
  }));

const oneFile: readonly PayloadArtifact[] = [{ type: "file", path: "a.txt" }];
const makeOne = (directory: string) => put(directory, "a.txt");

Deno.test("a store that answers 400 once gets the artifact again", () =>
  withArtifacts(oneFile, makeOne, (run) => {
    assert.equal(run.task.outcome.first, undefined);
    assert.equal(gunzipSync(stored(run, "a.txt").bytes).toString(), "a.txt");
    assert.match(run.workerLog(), /2 put requests issued to http:\/\/[^ ?]+\?<redacted>\n/);
    assert.ok(!/X-Amz|[?&](?!<)\w+=/.test(run.workerLog()), "the signature is nobody's business");
  }, {
    faults: new FaultSchedule([{
      service: "store",
      entry: "put",
      calls: 1,
      effect: { kind: "status", status: 400 },
    }]),
  }));

Deno.test("W-14: a store that keeps answering 400 is believed after six attempts", () =>
  withArtifacts(oneFile, makeOne, (run) => {
    assertException(run, "resource-unavailable", /400/);
    assert.equal(run.taskcluster.requests.count("store.put"), 6);
    assert.match(run.taskLog(), /\[taskcluster:error\] Error uploading artifact: /);
  }, {
    faults: new FaultSchedule([{ service: "store", entry: "put", effect: { kind: "status", status: 400 } }]),
  }));

Deno.test("a store that answers 403 makes the run resource-unavailable at once", () =>
  withArtifacts(oneFile, makeOne, (run) => {
    assertException(run, "resource-unavailable", /403/);
    assert.equal(run.taskcluster.requests.count("store.put"), 1);
  }, {
    faults: new FaultSchedule([{ service: "store", entry: "put", effect: { kind: "status", status: 403 } }]),
  }));

Deno.test("a store that resets connections and answers 5xx gets the artifact in the end", () =>
  withArtifacts(oneFile, makeOne, (run) => {
    assert.equal(run.task.outcome.first, undefined);
    assert.equal(gunzipSync(stored(run, "a.txt").bytes).toString(), "a.txt");
  }, {
    faults: new FaultSchedule([
      { service: "store", entry: "put", calls: 2, effect: { kind: "reset" } },
      { service: "store", entry: "put", fromCall: 3, calls: 2, effect: { kind: "status", status: 503 } },
    ]),
  }));

Deno.test("a queue that keeps answering 500 to createArtifact makes the run resource-unavailable", () =>
  withArtifacts(oneFile, makeOne, (run) => {
    assertException(
      run,
      "resource-unavailable",
      /^TASK EXCEPTION due to response code 500 from Queue when uploading artifact a\.txt - HTTP response body: /,
    );
    assert.ok(run.clock.sleptMs > 10 * 60_000, "the retries go on for many minutes");
  }, { faults: new FaultSchedule([{ entry: "createArtifact", effect: { kind: "status", status: 500 } }]) }));

Deno.test("W-12: a queue that stays out of reach makes the run resource-unavailable, not completed", () =>
  withArtifacts(
    oneFile,
    makeOne,
    (run) => assertException(run, "resource-unavailable", /Could not reach the queue/),
    {
      faults: new FaultSchedule([{ entry: "createArtifact", effect: { kind: "reset" } }]),
    },
  ));

Deno.test("an artifact that the queue knows with another type is malformed", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (run) => {
    makeOne(run.task.context.directory);
    await run.task.worker.queue.createArtifact(run.task.credentials(), run.task, {
      name: "a.txt",
      request: { storageType: "s3", contentType: "text/x-old", expires: run.task.definition.expires },
    });
    await runFeature(run.task, artifactUploads);
    assertException(
      run,
      "malformed-payload",
      /^there was a conflict uploading artifact a\.txt - this suggests/,
    );
    assert.ok(
      run.task.outcome.first?.message.includes(
        `\nCheck the artifacts section of the task payload at ${run.taskcluster.rootUrl}/api/queue/v1/task/${run.task.taskId}\n`,
      ),
    );
  }));

Deno.test("W-11: an unexpected refusal by the queue is an internal error of this run", () =>
  withArtifacts(
    oneFile,
    makeOne,
    (run) => assertException(run, "internal-error", /refused artifact a\.txt/),
    {
      faults: new FaultSchedule([{ entry: "createArtifact", effect: { kind: "status", status: 404 } }]),
    },
  ));

Deno.test("W-13: what the queue refuses for a cancelled run is no problem of the task", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (run) => {
    makeOne(run.task.context.directory);
    run.taskcluster.queue.cancelTask(run.task.taskId);
    run.taskcluster.faults.add({ entry: "createArtifact", effect: { kind: "status", status: 409 } });
    await runFeature(run.task, artifactUploads);
    assert.equal(run.task.outcome.first, undefined);
    assert.match(
      run.workerLog(),
      /Artifact a\.txt is not published: The run is resolved already \(canceled\)/,
    );
  }));

Deno.test("optional artifacts fail nothing when the store refuses them, but the log warns (W-17)", () =>
  withArtifacts([{ ...oneFile[0]!, optional: true }], makeOne, (run) => {
    assert.equal(run.task.outcome.first, undefined);
    assert.match(
      run.taskLog(),
      /\[taskcluster:warn [^\]]+\] Optional artifact a\.txt could not be uploaded: .*403/,
    );
    assert.ok(!run.taskLog().includes("[taskcluster:error]"));
  }, {
    faults: new FaultSchedule([{ service: "store", entry: "put", effect: { kind: "status", status: 403 } }]),
  }));

Deno.test("one unreachable artifact does not cost the others", () =>
  withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => {
      for (const name of ["a", "b", "c"]) put(directory, `d/${name}`);
    },
    (run) => {
      assertException(run, "resource-unavailable", /d\/b/);
      assert.equal(stored(run, "d/a").contentEncoding, "gzip");
      assert.equal(stored(run, "d/c").contentEncoding, "gzip");
    },
    {
      faults: new FaultSchedule([{
        service: "store",
        entry: "put",
        path: /b$/,
        effect: { kind: "status", status: 403 },
      }]),
    },
  ));

Deno.test("W-59: an empty file is sent with its length, as gzip and as it is", () =>
  withArtifacts(
    [{ type: "file", path: "empty.txt" }, { type: "file", path: "empty.zip" }],
    (directory) => {
      put(directory, "empty.txt", "");
      put(directory, "empty.zip", "");
    },
    (run) => {
      assert.equal(run.task.outcome.first, undefined);
      assert.equal(stored(run, "empty.zip").lengthBytes, 0);
      assert.equal(gunzipSync(stored(run, "empty.txt").bytes).length, 0);
    },
  ));

Deno.test("W-24: each artifact gets a line with size, stored size and time", () =>
  withArtifacts(
    [{ type: "file", path: "a.txt" }],
    (directory) => put(directory, "a.txt", "x".repeat(100_000)),
    (run) =>
      assert.match(
        run.taskLog(),
        /^\[taskcluster [^\]]+\] Uploaded artifact a\.txt: 97\.66 KiB, \d+ B as gzip, in \d+ms$/m,
      ),
  ));

Deno.test("large files arrive whole: compressible, incompressible and as they are", () => {
  const text = new TextEncoder().encode("all work and no play makes jack a dull boy\n".repeat(60_000));
  const random = new Uint8Array(3_000_000);
  for (let at = 0; at < random.length; at += 65_536) crypto.getRandomValues(random.subarray(at, at + 65_536));
  return withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => {
      put(directory, "d/text.txt", text);
      put(directory, "d/random.dat", random);
      put(directory, "d/random.zip", random);
    },
    async (run) => {
      assert.equal(run.task.outcome.first, undefined);
      const compressed = stored(run, "d/text.txt");
      assert.ok(compressed.lengthBytes < text.length / 10);
      assert.deepEqual(new Uint8Array(gunzipSync(compressed.bytes)), text);
      assert.deepEqual(new Uint8Array(gunzipSync(stored(run, "d/random.dat").bytes)), random);
      assert.deepEqual(stored(run, "d/random.zip").bytes, random);
      assert.deepEqual(
        (await Array.fromAsync(Deno.readDir(run.task.privateDirectory))).map(({ name }) => name),
        ["live_backing.log"],
      );
    },
  );
});

Deno.test("chain of trust gets the hash of the content, in memory, streamed and compressed", () => {
  const text = new TextEncoder().encode("all work and no play makes jack a dull boy\n".repeat(60_000));
  return withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => {
      put(directory, "d/small.txt", "small");
      put(directory, "d/large.txt", text);
      put(directory, "d/large.zip", text);
    },
    ({ task }) => {
      const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
      assert.equal(task.published.get("d/small.txt")?.sha256, sha256("small"));
      assert.equal(task.published.get("d/large.txt")?.sha256, sha256(text));
      assert.equal(task.published.get("d/large.zip")?.sha256, sha256(text));
    },
    { payload: { features: { chainOfTrust: true } } },
  );
});

Deno.test("W-15: an artifact that can't be compressed for want of space fails, and is never sent cut short", () =>
  withTaskRun({ payload: { artifacts: oneFile } }, async (run) => {
    put(run.task.context.directory, "a.txt", "x".repeat(2_000_000));
    const task = { ...run.task, privateDirectory: join(run.task.privateDirectory, "missing") };
    await runFeature(task, artifactUploads);
    assertException(run, "resource-unavailable", /Could not compress '.*a\.txt'/);
    assert.deepEqual(names(run), []);
  }));

Deno.test("uploads of a lost run stop at once, without a problem", () =>
  withTaskRun({ payload: { artifacts: [{ type: "directory", path: "d" }] } }, async (run) => {
    for (let number = 0; number < 30; number++) put(run.task.context.directory, `d/${number}`);
    run.taskcluster.faults.add({ service: "store", effect: { kind: "delay", delayMs: 3_600_000 } });
    run.taskcluster.faults.add({
      entry: "createArtifact",
      fromCall: 11,
      effect: { kind: "status", status: 500 },
    });
    const announced = run.taskcluster.requests.next(({ entry }) => entry === "createArtifact");
    const ended = runFeature(run.task, artifactUploads);
    await announced;
    run.lose();
    await ended;
    assert.equal(run.task.outcome.first, undefined);
  }));

Deno.test("a thousand files in a directory are all published, holding a dozen files open at most", async () => {
  const count = new OpenCount();
  await withArtifacts(
    [{ type: "directory", path: "d" }],
    (directory) => {
      for (let number = 0; number < 1000; number++) put(directory, `d/${number}.txt`);
    },
    (run) => {
      assert.equal(run.task.outcome.first, undefined);
      assert.equal(run.taskcluster.requests.count("store.put"), 1000);
      assert.equal(run.taskcluster.requests.count("queue.createArtifact"), 1000);
      assert.equal(count.now, 0);
      assert.ok(count.most <= 11, `${count.most} files were open`);
    },
    { context: (context) => ({ ...context, files: count.over(context.files) }) },
  );
});

/** Counts the files that are open. */
class OpenCount {
  now = 0;
  most = 0;

  over(files: TaskFiles): TaskFiles {
    return {
      ...files,
      open: async (path) => {
        const file = await files.open(path);
        this.most = Math.max(this.most, ++this.now);
        return {
          facts: file.facts,
          read: (buffer) => file.read(buffer),
          seek: (offset) => file.seek(offset),
          close: () => {
            this.now--;
            file.close();
          },
        };
      },
    };
  }
}

Deno.test("no artifacts, no feature", () =>
  withTaskRun({}, ({ task }) => {
    assert.equal(artifactUploads.requested(task), false);
    return Promise.resolve();
  }));
