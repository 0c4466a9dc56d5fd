import { strict as assert } from "node:assert";
import { startEmbeddedTaskcluster } from "../../../src/embedded/mod.ts";
import { shell } from "../../support/worker.ts";
import { type Files, RunTaskPlace } from "../../support/run_task_process.ts";

const sayHello = shell("echo hello from a task");

async function assertRuns(
  words: readonly string[],
  options: { files?: Files; stdin?: string; rootUrl?: string },
) {
  using place = new RunTaskPlace(options.files);
  const { code, stdout, stderr } = await place.run(words, {
    env: { TASKCLUSTER_ROOT_URL: options.rootUrl ?? "" },
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
  });
  assert.equal(code, 0, `${words}: ${stderr}`);
  assert.match(stdout, /\nhello from a task\n/);
}

async function assertRefuses(file: string, { files = {}, saying }: { files?: Files; saying: RegExp }) {
  using place = new RunTaskPlace(files);
  const { code, stdout, stderr } = await place.run([file], { env: { TASKCLUSTER_ROOT_URL: "" } });
  assert.equal(code, 2, file);
  assert.equal(stdout, "");
  assert.match(stderr, /^run-task: [^\n]*\n(\n[^]*)?$/);
  assert.match(stderr, saying);
  assert.ok(!/os error|at .*\.(ts|js):\d/.test(stderr), `kind words only: ${stderr}`);
  assert.deepEqual(place.leftovers(), []);
}

Deno.test("run-task reads payloads and definitions, as JSON and YAML, from files and standard input", async () => {
  const yaml = "x: &base {maxRunTime: 60}\npayload:\n  <<: *base\n  command: [[echo, hello from a task]]\n";
  await assertRuns(["t"], { files: { t: sayHello } });
  await assertRuns(["t"], { files: { t: { payload: sayHello } } });
  await assertRuns(["t"], { files: { t: { status: {}, task: { payload: sayHello } } } });
  await assertRuns(["t"], { files: { t: yaml } });
  await assertRuns(["t"], { files: { t: "\ufeff" + JSON.stringify(sayHello) } });
  await assertRuns(["t"], { files: { t: "{maxRunTime: 60, command: [[echo, hello from a task]]}" } });
  await assertRuns(["-"], { stdin: JSON.stringify(sayHello) });
  await assertRuns(["-"], { stdin: yaml });
});

Deno.test("run-task reads a task by its URL, the URL of its page, and its id", async () => {
  const taskcluster = await startEmbeddedTaskcluster();
  try {
    const { rootUrl } = taskcluster;
    const taskId = taskcluster.queue.createTask({ payload: sayHello });
    await assertRuns([`${rootUrl}/api/queue/v1/task/${taskId}`], {});
    await assertRuns([`${rootUrl}/api/queue/v1/task/${taskId}/status`], {});
    await assertRuns([`${rootUrl}/tasks/${taskId}`], {});
    await assertRuns([`${rootUrl}/tasks/${taskId}/runs/0/logs/live/public/logs/live.log?x=1#L5`], {});
    await assertRuns([`${rootUrl}/tasks/groups/fN1SbArXTPSVFNUvaOlinQ/tasks/${taskId}/details`], {});
    await assertRuns([taskId], { rootUrl });
    await assertRuns([taskId], { rootUrl: `${rootUrl}/` });
    await assertRuns([taskId], { files: { [taskId]: sayHello } });
    await assertRefuses(`${rootUrl}/tasks/fN1SbArXTPSVFNUvaOlinQ`, {
      saying: /HTTP 404\. Is the task public/,
    });
  } finally {
    await taskcluster.stop();
  }
});

Deno.test("run-task says which file it can't read, and why", async () => {
  const refusals: readonly [string, RegExp][] = [
    ["absent.yml", /There is no file absent\.yml\n/],
    ["", /name of the file is empty/],
    [".", /\. is a directory/],
    ["ftp://example.com/task", /not from ftp\n/],
    ["fN1SbArXTPSVFNUvaOlinQ", /of which deployment\? Set TASKCLUSTER_ROOT_URL/],
    ["http://127.0.0.1:1/task", /Could not reach http:\/\/127\.0\.0\.1:1\/task: /],
    ["http://", /http:\/\/ is no URL/],
    ["/dev/zero", /more than 10\.00 MiB/],
    ["/dev/null", /is empty/],
  ];
  for (const [file, saying] of refusals) await assertRefuses(file, { saying });
});

Deno.test("run-task says where a file is not JSON or YAML, or what it holds in place of a task", async () => {
  const refusals: readonly [string | Uint8Array, RegExp][] = [
    ["", /t is empty\. Give a task definition or a payload/],
    ["# nothing but this\n", /is empty/],
    [new Uint8Array([0xff, 0xfe, 0x7b, 0x00]), /not text in UTF-8/],
    ['{\n  "maxRunTime": 5,,\n}', /not valid JSON: .*line 2 column 19/],
    ["command:\n  - [true\nmaxRunTime: 5\n", /neither JSON nor YAML: .*line 3, column 1/],
    ["a: 1\na: 2\n", /must be unique at line 2, column 1/],
    ["[1, 2]", /holds a list, not an object/],
    ["just words", /holds a string/],
    ["true", /holds a boolean/],
    ["<!doctype html><html></html>", /is a web page or XML/],
    ["payload: words\n", /The payload in t is a string/],
    ["version: 1\ntasks: []\n", /is a recipe for tasks/],
    ["a: &a {b: *a}\n", /can't be sent as JSON/],
    ["---\na: 1\n---\nb: 2\n", /multiple documents/],
    ["[".repeat(100_000), /not valid JSON/],
    ["x".repeat(11 * 1024 * 1024), /too large for a task/],
  ];
  for (const [content, saying] of refusals) await assertRefuses("t", { files: { t: content }, saying });
});
