import { strict as assert } from "node:assert";
import { shell } from "../../support/worker.ts";
import { isRunning, RunTaskPlace } from "../../support/run_task_process.ts";

/** Prints the numbers of its processes, one of them in a session of its own, and stays. */
const staying = 'echo partial > made; setsid sleep 600 & sleep 600 & echo "pids:$$,$!"; wait';
const stubborn = `trap "" INT TERM; ${staying}; sleep 600`;
const artifacts = [{ type: "file", path: "made", name: "public/made" }];

function assertGone(pids: string): void {
  for (const pid of pids.split(",")) assert.ok(!isRunning(pid), `process ${pid} is gone`);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`run-task cancels the task at ${signal}, ends its processes and saves what there is`, async () => {
    using place = new RunTaskPlace({ "task.json": shell(staying, { artifacts, maxRunTime: 600 }) });
    const process = place.start(["task.json", "--artifacts", "out"]);
    const pids = await process.says(/pids:([\d,]+)\n/);
    process.kill(signal);
    const { code, stdout, stderr } = await process.ended;
    assert.equal(code, 2);
    assert.match(stderr, /run-task: cancelling; Ctrl-C again to leave at once\n/);
    assert.match(stderr, /: exception\/canceled after /);
    assert.match(stdout, /\[taskcluster:error\] The task was cancelled from the terminal\n$/);
    assert.equal(place.read("out/public/made"), "partial\n");
    assert.equal(place.read("out/public/logs/live_backing.log"), stdout);
    assertGone(pids);
    assert.deepEqual(place.leftovers(), []);
  });
}

Deno.test("run-task leaves at the second Ctrl-C, with the task's processes killed and its directories removed", async () => {
  using place = new RunTaskPlace({ "task.json": shell(stubborn, { maxRunTime: 600 }) });
  const process = place.start(["task.json"]);
  const pids = await process.says(/pids:([\d,]+)\n/);
  process.kill("SIGINT");
  await process.says(/cancelled from the terminal/);
  process.kill("SIGINT");
  const { code, stderr } = await process.ended;
  assert.equal(code, 130);
  assert.match(stderr, /left at once; .*artifacts not saved\n$/);
  assertGone(pids);
  assert.deepEqual(place.leftovers(), []);
});

Deno.test("run-task stops waiting for a task that a server does not send", async () => {
  using place = new RunTaskPlace();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const process = place.start([`http://127.0.0.1:${listener.addr.port}/never`]);
  using _silent = await listener.accept();
  process.kill("SIGINT");
  const { code, stdout, stderr } = await process.ended;
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  assert.equal(stderr, "\nrun-task: cancelling; Ctrl-C again to leave at once\n");
});

Deno.test("run-task ends processes that outlive their task", async () => {
  using place = new RunTaskPlace({
    "task.json": shell('setsid sleep 600 & one=$!; sleep 600 & echo "pids:$one,$!"'),
  });
  const { code, stdout } = await place.run(["task.json"]);
  assert.equal(code, 0);
  assertGone(/pids:([\d,]+)\n/.exec(stdout)![1]!);
  assert.deepEqual(place.leftovers(), []);
});
