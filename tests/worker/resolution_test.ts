/** Every way a task can end, through the whole worker. */

import assert from "node:assert/strict";
import { shell, withDeployment, withWorker } from "../support/worker.ts";

Deno.test("a task that succeeds is completed, and its log tells its life in order", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell("echo hello; echo world >&2; exit 0"));
    assert.equal(resolution, "completed/completed");
    const log = await deployment.log(taskId);
    const stamp = /\[taskcluster 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] /g;
    const lines = log.replace(stamp, "> ").split("\n");
    assert.equal(lines[0], "> Worker Type (local/worker) settings:");
    assert.equal(lines[1], ">   {");
    const start = lines.indexOf("> === Task Starting ===");
    assert.equal(lines[start - 1], `> Task ID: ${taskId}`);
    assert.equal(lines[start + 1], "> Executing command 0: /bin/sh -c 'echo hello; echo world >&2; exit 0'");
    assert.deepEqual(lines.slice(start + 2, start + 4), ["hello", "world"]);
    assert.equal(lines[start + 4], ">                        Exit Code: 0");
    assert.match(lines[start + 5]!, /^> {24}User Time: [\d.]+(ms|µs|s)$/);
    assert.match(lines[start + 6]!, /^> {22}Kernel Time: [\d.]+(ms|µs|s)$/);
    assert.match(lines[start + 7]!, /^> {24}Wall Time: [\d.]+(ms|µs|s)$/);
    assert.equal(lines[start + 8], ">                           Result: SUCCEEDED");
    assert.equal(lines[start + 9], "> === Task Finished ===");
    assert.match(lines[start + 10]!, /^> Task Duration: /);
    assert.deepEqual(lines.slice(start + 11), [""]);
  });
});

Deno.test("a task ends as its commands, its payload and its time limit say", async () => {
  const cases: { name: string; payload: Record<string, unknown>; resolution: string; log: RegExp }[] = [
    {
      name: "exit 1",
      payload: shell("exit 1"),
      resolution: "failed/failed",
      log: /\[taskcluster:error\] exit status 1\n$/,
    },
    {
      name: "killed by a signal",
      payload: shell("kill -9 $$"),
      resolution: "failed/failed",
      log: /Exit Code: -1\n[^]*Result: FAILED\n[^]*\[taskcluster:error\] signal: killed\n$/,
    },
    {
      name: "missing program",
      payload: { command: [["/no/such/program"]], maxRunTime: 10 },
      resolution: "failed/failed",
      log: /System error executing command: [^\n]*no such file or directory\n/,
    },
    {
      name: "program that may not be executed",
      payload: { command: [["/etc/passwd"]], maxRunTime: 10 },
      resolution: "failed/failed",
      log: /System error executing command: [^\n]*permission denied\n/,
    },
    {
      name: "intermittent exit code",
      payload: shell("exit 123", { onExitStatus: { retry: [123] } }),
      resolution: "exception/intermittent-task",
      log: /exit code 123/,
    },
    {
      name: "exit code that is no byte",
      payload: shell("exit 456", { onExitStatus: { retry: [123] } }),
      resolution: "failed/failed",
      log: /exit status 200/,
    },
    {
      name: "invalid payload",
      payload: { a: "b" },
      resolution: "exception/malformed-payload",
      log: /Task payload for this worker type must conform to the following jsonschema:/,
    },
    {
      name: "negative retry",
      payload: shell("true", { onExitStatus: { retry: [-1] } }),
      resolution: "exception/malformed-payload",
      log: /onExitStatus\.retry\.0: Must be greater than or equal to 1/,
    },
    {
      name: "too much time asked for",
      payload: shell("true", { maxRunTime: 90_000 }),
      resolution: "exception/malformed-payload",
      log: /task's maxRunTime of 90000 exceeded allowed maximum of 86400/,
    },
    {
      name: "time limit",
      payload: { command: [["sleep", "600"], ["echo", "never"]], maxRunTime: 1 },
      resolution: "failed/failed",
      log: /Aborting task\.\.\.\n[^]*Command ABORTED after [^]*task aborted - max run time exceeded\n$/,
    },
    {
      name: "feature that does not exist",
      payload: shell("true", { features: { loopbackAudio: true } }),
      resolution: "exception/malformed-payload",
      log: /"LoopbackAudio"/,
    },
  ];
  await withWorker({ config: { capacity: 4 } }, async (deployment) => {
    await Promise.all(cases.map(async ({ name, payload, resolution, log }) => {
      const resolved = await deployment.run(payload, { retries: 0 });
      const text = await deployment.log(resolved.taskId);
      assert.equal(resolved.resolution, resolution, `${name}:\n${text}`);
      assert.match(text, log, name);
      assert.ok(!text.includes("never\n"), name);
    }));
  });
});

Deno.test("a worker ends with 0 after numberOfTasksToRun, and again at once when restarted (K15)", async () => {
  await withDeployment({ config: { numberOfTasksToRun: 2 } }, async (deployment) => {
    const worker = await deployment.startWorker();
    await deployment.run(shell("true"));
    await deployment.run(shell("false"));
    assert.equal(await worker.exited, 0);
    const again = await deployment.spawnWorker();
    assert.equal(await again.exited, 0);
    assert.match(again.log, /numberOfTasksToRun is 2/);
  });
});

Deno.test("a worker ends with 68 when it has idled too long", async () => {
  await withDeployment(
    { config: { idleTimeoutSecs: 1 }, settings: { longPollMs: 100 } },
    async (deployment) => {
      const worker = await deployment.startWorker();
      assert.equal(await worker.exited, 68);
    },
  );
});

Deno.test("a cancelled task ends within a minute, its log says why and is published (K20, K41)", async () => {
  await withWorker({}, async (deployment) => {
    const taskId = deployment.createTask(shell("echo begun; sleep 600"));
    await deployment.reaches(taskId, "running");
    deployment.taskcluster.queue.cancelTask(taskId);
    const before = performance.now();
    const { resolution } = await deployment.resolved(taskId);
    assert.equal(resolution, "exception/canceled");
    const after = await deployment.run(shell("true"));
    assert.equal(after.resolution, "completed/completed");
    assert.ok(performance.now() - before < 60_000);
    assert.match(await deployment.log(taskId), /\[taskcluster:error\] The task was cancelled\n/);
  });
});
