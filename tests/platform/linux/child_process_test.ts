import assert from "node:assert/strict";
import { createPlatform } from "../../../src/platform/linux/mod.ts";
import { CommandRunner, openDescriptors, testEnvironment } from "./run_command.ts";

Deno.test("exited gives every exit status from 0 to 255, cut to 8 bits", async () => {
  const platform = createPlatform();
  const end = async (code: number) => {
    const argv = ["sh", "-c", `exit ${code}`];
    const { code: seen, signal } = await platform.spawn({ argv, cwd: "/", env: testEnvironment }).exited;
    return [seen, signal];
  };
  for (const code of [0, 1, 2, 77, 127, 128, 200, 254, 255]) {
    assert.deepEqual(await end(code), [code, undefined]);
  }
  const python = ["python3", "-c", "import os; os._exit(456)"];
  const status = await platform.spawn({ argv: python, cwd: "/", env: testEnvironment }).exited;
  assert.equal(status.code, 200);
});

const signals: readonly (readonly [number, string])[] = [
  [1, "hangup"],
  [2, "interrupt"],
  [3, "quit"],
  [4, "illegal instruction"],
  [5, "trace/breakpoint trap"],
  [6, "aborted"],
  [7, "bus error"],
  [8, "floating point exception"],
  [9, "killed"],
  [10, "user defined signal 1"],
  [11, "segmentation fault"],
  [12, "user defined signal 2"],
  [13, "broken pipe"],
  [14, "alarm clock"],
  [15, "terminated"],
  [16, "stack fault"],
  [24, "CPU time limit exceeded"],
  [25, "file size limit exceeded"],
  [26, "virtual timer expired"],
  [27, "profiling timer expired"],
  [29, "I/O possible"],
  [30, "power failure"],
  [31, "bad system call"],
  [34, "signal 34"],
];

const killSelf = `import os,resource,signal,sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
number = int(sys.argv[1])
if number != 9: signal.signal(number, signal.SIG_DFL)
os.kill(os.getpid(), number)`;

Deno.test("exited names the signal that killed the process", async () => {
  const platform = createPlatform();
  for (const [number, name] of signals) {
    const argv = ["python3", "-S", "-c", killSelf, String(number)];
    const status = await platform.spawn({ argv, cwd: "/", env: testEnvironment }).exited;
    assert.deepEqual([status.signal, status.code], [name, undefined]);
  }
});

Deno.test("exited counts the CPU time of the process and of the children it waited for", async () => {
  await using runner = new CommandRunner();
  const busy = "import time\nwhile time.process_time() < 0.1: sum(range(10000))";
  const alone = await runner.run(["python3", "-S", "-c", busy]);
  assert(alone.userTimeMs >= 60 && alone.userTimeMs < 2_000, `user time ${alone.userTimeMs}`);
  const below = await runner.run(["sh", "-c", `python3 -S -c '${busy}'; true`]);
  assert(below.userTimeMs >= 60 && below.userTimeMs < 2_000, `user time ${below.userTimeMs}`);
  const idle = await runner.run(["true"]);
  assert(idle.userTimeMs + idle.kernelTimeMs < 60);
});

Deno.test("exited settles although a background child still holds the output", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("sleep 1000 & echo $!; exit 4");
  assert.equal((await process.exited).code, 4);
  runner.output.drain();
  assert.match(runner.text, /^\d+\n$/);
  assert(await runner.platform.killGroup(process.pid, { graceMs: 0 }));
});

Deno.test("500 processes one after another leave no descriptor, no zombie and nothing in flight", async () => {
  const platform = createPlatform();
  const spawn = () => platform.spawn({ argv: ["/bin/true"], cwd: "/", env: testEnvironment });
  await spawn().exited;
  const before = openDescriptors();
  const pids = new Set<number>();
  for (let count = 0; count < 500; count++) {
    const process = spawn();
    pids.add(process.pid);
    await process.exited;
  }
  assert(openDescriptors() <= before, "descriptors were left open");
  const children = [...pids].filter((pid) => ownChild(pid));
  assert.deepEqual(children, []);
});

Deno.test("60 processes at once all report their own end", async () => {
  const platform = createPlatform();
  const ends = Array.from({ length: 60 }, (_, code) => {
    const argv = ["sh", "-c", `exit ${code}`];
    return platform.spawn({ argv, cwd: "/", env: testEnvironment }).exited;
  });
  assert.deepEqual((await Promise.all(ends)).map((end) => end.code), ends.map((_, code) => code));
});

Deno.test("signalGroup() reaches the whole group", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("sleep 1000 & echo ready; wait");
  await runner.printed(/ready/);
  process.signalGroup("SIGTERM");
  assert.equal((await process.exited).signal, "terminated");
});

Deno.test("signalGroup() after the end signals nobody (weakness 02 §12.9)", async () => {
  const platform = createPlatform();
  const process = platform.spawn({ argv: ["true"], cwd: "/", env: testEnvironment });
  await process.exited;
  process.signalGroup("SIGKILL");
  assert(await platform.killGroup(process.pid, { graceMs: 1_000 }));
});

function ownChild(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === Deno.pid;
  } catch {
    return false;
  }
}
