import { strict as assert } from "node:assert";
import { join } from "node:path";
import { shell } from "../support/worker.ts";
import { RunTaskPlace } from "../support/run_task_process.ts";

Deno.test("run-task runs a payload, shows its log, saves its artifacts and exits with 0", async () => {
  using place = new RunTaskPlace({
    "task.yml": [
      "maxRunTime: 60",
      "command: [[/bin/sh, -c, 'echo to the terminal; mkdir -p out/sub; echo content > out/sub/file.txt']]",
      "artifacts: [{type: directory, path: out, name: public/out}]",
    ].join("\n"),
  });
  const { code, stdout, stderr } = await place.run(["task.yml", "--artifacts", "results"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /=== Task Starting ===\n(.*\n)+to the terminal\n(.*\n)+.*=== Task Finished ===/);
  assert.match(stderr, /^\nTask [\w-]{22}: completed\/completed after .*\n/);
  assert.match(stderr, /public\/out\/sub\/file.txt +8 B\n/);
  assert.equal(place.read("results/public/out/sub/file.txt"), "content\n");
  assert.equal(
    place.read("results/public/logs/live_backing.log"),
    stdout,
    "the log on the terminal is the artifact",
  );
  assert.match(place.read("results/worker.log"), /Exiting worker with exit code 0/);
  assert.deepEqual(place.leftovers(), []);
});

Deno.test("run-task exits with 1 for a failed task and with 2 for an exception", async () => {
  using place = new RunTaskPlace({
    "failing.json": shell("echo bad; exit 3"),
    "slow.json": shell("sleep 60", { maxRunTime: 1 }),
    "intermittent.json": shell("exit 7", { onExitStatus: { retry: [7] } }),
    "malformed.json": { command: [["/bin/true"]], maxRunTime: "soon" },
  });
  const ends = [
    ["failing.json", 1, "failed/failed", /\[taskcluster:error\] exit status 3\n/],
    ["slow.json", 1, "failed/failed", /max run time exceeded/],
    ["intermittent.json", 2, "exception/intermittent-task", /exit code 7/],
    ["malformed.json", 2, "exception/malformed-payload", /maxRunTime/],
  ] as const;
  for (const [file, expected, resolution, logged] of ends) {
    const { code, stdout, stderr } = await place.run([file]);
    assert.equal(code, expected, file);
    assert.ok(stderr.includes(`: ${resolution} after `), `${file}: ${stderr}`);
    assert.match(stdout, logged);
  }
});

Deno.test("run-task --json prints one object on standard output and the log on standard error", async () => {
  using place = new RunTaskPlace({
    "task.json": shell("echo made > made.txt; echo seen", {
      artifacts: [
        { type: "file", path: "made.txt", name: "public/made.txt" },
        { type: "file", path: "missing.txt", name: "public/missing.txt" },
      ],
    }),
  });
  const { code, stdout, stderr } = await place.run(["task.json", "--json", "--artifacts", "out"]);
  assert.equal(code, 1, "a missing artifact fails the task");
  assert.match(stderr, /\nseen\n/);
  const result = JSON.parse(stdout);
  const { taskId, durationMs, artifacts, ...rest } = result;
  assert.match(taskId, /^[\w-]{22}$/);
  assert.ok(durationMs > 0);
  assert.deepEqual(rest, { state: "failed", reason: "failed", directory: place.at("out") });
  const byName = Object.fromEntries(artifacts.map((artifact: { name: string }) => [artifact.name, artifact]));
  assert.equal(byName["public/made.txt"].path, place.at("out/public/made.txt"));
  assert.equal(byName["public/made.txt"].sizeBytes, 5);
  assert.equal(byName["public/made.txt"].contentType, "text/plain; charset=utf-8");
  assert.equal(byName["public/missing.txt"].storageType, "error");
  assert.match(byName["public/missing.txt"].note, /^file-missing-on-worker: /);
  assert.equal(byName["public/logs/live.log"].note, "same as public/logs/live_backing.log");
});

Deno.test("run-task runs a whole definition without waiting for others, and says what it leaves out", async () => {
  using place = new RunTaskPlace({
    "task.json": {
      taskQueueId: "some/pool",
      dependencies: ["fN1SbArXTPSVFNUvaOlinQ"],
      routes: ["index.project.x"],
      created: "2001-01-01T00:00:00Z",
      deadline: "2001-01-02T00:00:00Z",
      metdata: {},
      metadata: { name: "mine" },
      payload: shell("echo ran; echo x > x", {
        artifacts: [{ type: "file", path: "x", name: "public/x", expires: "2001-01-03T00:00:00Z" }],
      }),
    },
  });
  const { code, stdout, stderr } = await place.run(["task.json"]);
  assert.equal(code, 0, stderr + stdout);
  assert.match(stderr, /run-task: Not waiting for 1 dependencies\n/);
  assert.match(stderr, /run-task: Leaving out 1 routes\n/);
  assert.match(stderr, /run-task: Leaving out metdata, .*; did you mean metadata\?\n/);
  assert.match(stderr, /public\/x +2 B/);
});

Deno.test("run-task tells each mistake that the queue finds in a definition", async () => {
  using place = new RunTaskPlace({
    "task.json": { scopes: ["fine", 5], metadata: { nonsense: 1 }, payload: shell("true") },
  });
  const { code, stderr } = await place.run(["task.json"]);
  assert.equal(code, 2);
  assert.match(stderr, /The queue does not take this task: /);
  assert.match(stderr, /data\.scopes\.1 must be string/);
  assert.match(stderr, /data\.metadata must NOT have additional properties: "nonsense"/);
  assert.deepEqual(place.leftovers(), []);
});

Deno.test("run-task finds out before the task runs that artifacts can't be saved", async () => {
  using place = new RunTaskPlace({ "file": "", "task.json": shell("echo ran > ../../../../ran") });
  for (const directory of ["file", "file/below"]) {
    const { code, stdout, stderr } = await place.run(["task.json", "--artifacts", directory]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^run-task: Cannot put artifacts into ${place.at(directory)}: `));
  }
  const unnamed = await place.run(["task.json", "--artifacts="]);
  assert.equal(unnamed.code, 1);
  assert.match(unnamed.stderr, /^Option --artifacts needs a directory\n/);
});

Deno.test("run-task says what to do when there is no place for temporary files", async () => {
  using place = new RunTaskPlace({ "task.json": shell("true") });
  const { code, stderr } = await place.run(["task.json"], { env: { TMPDIR: place.at("absent") } });
  assert.equal(code, 2);
  assert.match(stderr, /^run-task: Cannot make a temporary directory in .*absent: .*TMPDIR/);
});

Deno.test("run-task runs without HOME and with an empty PATH of its own", async () => {
  using place = new RunTaskPlace({ "task.json": shell("echo still here") });
  const { code, stdout, stderr } = await place.run(["task.json"], { env: { HOME: "", PATH: "" } });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\nstill here\n/);
});

Deno.test("run-task saves no artifact outside the folder, over its own log or over another one", async () => {
  const names = [
    "/absolute",
    "public//twice",
    "public/twice",
    "public/a",
    "public/a/b",
    "worker.log",
    "fine/name",
  ];
  const artifacts = names.map((name) => ({ type: "file", path: "x", name }));
  using place = new RunTaskPlace({ "task.json": shell("echo x > x", { artifacts }) });
  const { stderr, stdout } = await place.run(["task.json", "--json", "--artifacts", "in/out"]);
  const { artifacts: saved } = JSON.parse(stdout) as {
    artifacts: { name: string; path?: string; note?: string }[];
  };
  const noteOf = (name: string) => saved.find((artifact) => artifact.name === name)?.note ?? "";
  assert.match(noteOf("/absolute"), /leads out of the folder/);
  assert.match(noteOf("public/twice") + noteOf("public//twice"), /^not saved: \S+twice is taken$/);
  assert.match(noteOf("public/a/b"), /^not saved: /);
  assert.match(noteOf("worker.log"), /is taken/);
  assert.equal(place.read("in/out/fine/name"), "x\n", stderr);
  assert.match(place.read("in/out/worker.log"), /Exiting worker/);
  assert.deepEqual([...Deno.readDirSync(place.at("in"))].map(({ name }) => name), ["out"]);
});

Deno.test("run-task runs tasks side by side", async () => {
  using place = new RunTaskPlace({ "task.json": shell("echo $TASK_ID > id; sleep 0.2; cat id") });
  const ends = await Promise.all([1, 2, 3].map(() => place.run(["task.json"])));
  assert.deepEqual(ends.map(({ code }) => code), [0, 0, 0]);
  const ids = ends.map(({ stdout }) => /\n([\w-]{22})\n/.exec(stdout)?.[1]);
  assert.equal(new Set(ids).size, 3);
  assert.deepEqual(place.leftovers(), [], "not even a status file");
});

const binary = Deno.env.get("GENERIC_WORKER_BINARY") ?? "";

Deno.test({
  name: "run-task runs for an account without rights",
  ignore: binary === "" || Deno.uid() !== 0,
  async fn() {
    using place = new RunTaskPlace({
      "task.json": shell("id -un; cd /; touch can-i 2>/dev/null || echo no rights"),
    });
    Deno.chmodSync(place.at(""), 0o755);
    Deno.chmodSync(place.temporary, 0o1777);
    const account = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const { code, stdout, stderr } = await new Deno.Command("setpriv", {
      args: [...account, reachable(binary, place), "run-task", "task.json"],
      cwd: place.at(""),
      env: { PATH: "/usr/bin:/bin", TMPDIR: place.temporary },
      clearEnv: true,
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(code, 0, text(stderr));
    assert.match(text(stdout), /\nnobody\nno rights\n/);
  },
});

/** The program under a path that every account may walk: a checkout need not be readable by others. */
function reachable(binary: string, place: RunTaskPlace): string {
  const path = join(place.at(""), "generic-worker");
  Deno.copyFileSync(binary, path);
  Deno.chmodSync(path, 0o755);
  return path;
}
