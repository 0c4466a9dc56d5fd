/** The log of a task is what its commands printed, byte for byte, whatever and however much that is. */

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { isRunning } from "../support/run_task_process.ts";
import { type Deployment, shell, withWorker } from "../support/worker.ts";

const megabyte = 1024 * 1024;

/** Peak of what the process held in RAM of its own, bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function sha256(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", `${script} | sha256sum`] }).output();
  return new TextDecoder().decode(stdout).slice(0, 64);
}

async function logBytes(deployment: Deployment, taskId: string): Promise<Uint8Array<ArrayBuffer>> {
  return await deployment.taskcluster.queue.read(taskId, "public/logs/live_backing.log");
}

/** What the commands wrote: all between the line that announces the first and the first of the result block. */
function output(log: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(log);
  const from = text.indexOf("\n", text.indexOf("Executing command 0")) + 1;
  const to = text.search(/\[taskcluster [^\]]*\] {24}Exit Code/);
  assert.ok(from > 0 && to > from);
  return log.subarray(from, to);
}

Deno.test("200 MB of output arrive byte for byte, and the worker's memory stays flat", async () => {
  await withWorker({}, async (deployment, worker) => {
    await deployment.run(shell("seq 1 100000"));
    const before = await peakMemory(worker.pid);
    const script = "echo begin; seq 1 23000000; echo end";
    const { taskId, resolution } = await deployment.run(shell(script));
    assert.equal(resolution, "completed/completed");
    const growth = await peakMemory(worker.pid) - before;
    assert.ok(growth < 40 * megabyte, `${Math.round(growth / megabyte)} MB more than before`);
    const stored = deployment.taskcluster.queue.stored(taskId, "public/logs/live_backing.log");
    const received = await sha256(`zcat < '${stored?.path}' | sed -n '/^begin$/,/^end$/p'`);
    assert.equal(received, await sha256(`(${script})`));
  });
});

Deno.test("bytes that are no text, NUL bytes and a missing last newline arrive as they were", async () => {
  const octal = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell(`printf '${octal}'`));
    assert.equal(resolution, "completed/completed");
    // The newline makes the result block begin a line of its own (weakness K28).
    const expected = [...Array(256).keys(), 0x0a];
    assert.deepEqual([...output(await logBytes(deployment, taskId))], expected);
  });
});

Deno.test("stdout and stderr arrive in the order in which they were written", async () => {
  await withWorker({}, async (deployment) => {
    const script = "i=0; while [ $i -lt 3000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done";
    const { taskId } = await deployment.run(shell(script));
    const lines = Array.from({ length: 3000 }, (_, i) => `out${i}\nerr${i}\n`).join("");
    assert.equal(new TextDecoder().decode(output(await logBytes(deployment, taskId))), lines);
  });
});

Deno.test("a background process that keeps stdout open does not delay the end of the task (02 §12.11)", async () => {
  await withWorker({}, async (deployment, worker) => {
    const before = performance.now();
    const { taskId, resolution } = await deployment.run(shell("sleep 600 & echo $!; echo done"));
    assert.equal(resolution, "completed/completed");
    assert.ok(performance.now() - before < 10_000);
    const printed = new TextDecoder().decode(output(await logBytes(deployment, taskId)));
    assert.match(printed, /^\d+\ndone\n$/);
    // What is left of a task goes a moment after its end, the processes before the directory (weakness 02 §12.10).
    while (isRunning(printed.split("\n")[0]!)) await setTimeout(20);
    worker.kill("SIGTERM");
    assert.equal(await worker.exited, 72);
  });
});

Deno.test("output of several commands follows their announcements", async () => {
  await withWorker({}, async (deployment) => {
    const command = ["one", "two", "three"].map((
      word,
    ) => ["/bin/sh", "-c", `echo ${word}; echo ${word} >&2`]);
    const { taskId } = await deployment.run({ command, maxRunTime: 60 });
    const lines = (await deployment.log(taskId)).split("\n").filter((line) =>
      /^[a-z]+$|Executing/.test(line)
    );
    assert.deepEqual(lines.map((line) => line.replace(/^.*Executing command (\d).*$/, "$1")), [
      ..."0 one one 1 two two 2 three three".split(" "),
    ]);
  });
});

Deno.test("a NUL byte or far too much in a command or variable fails the task with a reason, not the worker", async () => {
  const payloads = [
    { command: [["/bin/echo", "a\u0000b"]], maxRunTime: 10 },
    { command: [["/bin/ec\u0000ho"]], maxRunTime: 10 },
    { command: [["/bin/echo"]], env: { A: "a\u0000b" }, maxRunTime: 10 },
    { command: [["/bin/echo"]], env: { "A\u0000": "b" }, maxRunTime: 10 },
    { command: [["/bin/echo", "x".repeat(200_000)]], maxRunTime: 10 },
    { command: [[""]], maxRunTime: 10 },
  ];
  await withWorker({ config: { capacity: 3 } }, async (deployment, worker) => {
    for (const resolved of await Promise.all(payloads.map((payload) => deployment.run(payload)))) {
      assert.equal(resolved.resolution, "failed/failed");
      assert.match(
        await deployment.log(resolved.taskId),
        /System error executing command: .*(NUL|null|argument list too long|no such file|not found|no command)/i,
      );
    }
    assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed", worker.log);
  });
});
