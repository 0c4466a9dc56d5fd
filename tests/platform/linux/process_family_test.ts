import assert from "node:assert/strict";
import { CommandRunner, isAlive, testEnvironment } from "./run_command.ts";

/** Variables that every command of a run carries. */
function runEnvironment(): Record<string, string> {
  return { ...testEnvironment, TASK_ID: "fam", RUN_ID: "0", TASK_WORKDIR: `/none/${crypto.randomUUID()}` };
}

/** Forks twice in a new session, so that neither group nor parents lead to the last process. */
const daemon = (stayMs: string) =>
  `import os,sys,time
if os.fork(): sys.exit(0)
os.setsid()
if os.fork(): os._exit(0)
print("daemon", os.getpid(), flush=True)
time.sleep(${stayMs})`;

Deno.test("killGroup() ends a group that heeds TERM within its grace", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  await runner.printed(/ready/);
  assert(await runner.platform.killGroup(process.pid, { graceMs: 60_000 }));
  runner.output.drain();
  assert.match(runner.text, /bye/);
  assert.equal((await process.exited).code, 7);
});

Deno.test("killGroup() ends a group that ignores TERM once the grace is over", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("trap '' TERM; sh -c 'echo ready $$; sleep 1000' & wait");
  const [, child] = await runner.printed(/ready (\d+)/);
  assert(await runner.platform.killGroup(process.pid, { graceMs: 30 }));
  assert.equal((await process.exited).signal, "killed");
  assert(!isAlive(Number(child)));
});

Deno.test("killGroup() without a grace kills at once", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("trap 'echo caught' TERM; echo ready; while :; do sleep 0.01; done");
  await runner.printed(/ready/);
  assert(await runner.platform.killGroup(process.pid, { graceMs: 0 }));
  runner.output.drain();
  assert.doesNotMatch(runner.text, /caught/);
});

Deno.test("killGroup() ends background members after their leader has ended", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("sleep 1000 & echo child $!; exit 0");
  const [, child] = await runner.printed(/child (\d+)/);
  await process.exited;
  assert(isAlive(Number(child)));
  assert(await runner.platform.killGroup(process.pid, { graceMs: 1_000 }));
  assert(!isAlive(Number(child)));
});

Deno.test("killGroup() finds a descendant that has left the group and the session", async () => {
  await using runner = new CommandRunner();
  const process = runner.script("setsid sh -c 'echo child $$; exec sleep 1000' & wait");
  const [, child] = await runner.printed(/child (\d+)/);
  assert(await runner.platform.killGroup(process.pid, { graceMs: 1_000 }));
  assert(!isAlive(Number(child)));
});

Deno.test("killGroup() finds a daemon that forked twice by the run's variables (weakness 02 §12.10)", async () => {
  await using runner = new CommandRunner();
  const process = runner.platform.spawn({
    argv: ["python3", "-c", daemon("1000")],
    cwd: "/",
    env: runEnvironment(),
    output: runner.output,
  });
  const [, child] = await runner.printed(/daemon (\d+)/);
  assert.equal((await process.exited).code, 0);
  assert(isAlive(Number(child)));
  assert(await runner.platform.killGroup(process.pid, { graceMs: 1_000 }));
  assert(!isAlive(Number(child)));
});

Deno.test("killGroup() ends what a member starts while it is being killed", async () => {
  await using runner = new CommandRunner();
  const script =
    "trap 'setsid sleep 1000 & echo late $!; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
  // Several times, because the new process is hard to see while it changes to another program.
  for (let round = 0; round < 10; round++) {
    const process = runner.script(script, runEnvironment());
    await runner.printed(/ready/);
    assert(await runner.platform.killGroup(process.pid, { graceMs: 30 }));
    runner.output.drain();
    const late = /late (\d+)/.exec(runner.text)?.[1];
    runner.text = "";
    assert(late !== undefined && !isAlive(Number(late)));
  }
});

Deno.test("killGroup() spares the processes of another run", async () => {
  await using runner = new CommandRunner();
  const doomed = runner.script("echo first; exec sleep 1000", runEnvironment());
  const spared = runner.script("echo second; exec sleep 1000", runEnvironment());
  await Promise.all([runner.printed(/first/), runner.printed(/second/)]);
  assert(await runner.platform.killGroup(doomed.pid, { graceMs: 1_000 }));
  assert(isAlive(spared.pid));
  assert(await runner.platform.killGroup(spared.pid, { graceMs: 0 }));
});

Deno.test("killGroup() leaves a process alone that the platform did not start (weakness 02 §12.9)", async () => {
  await using runner = new CommandRunner();
  const stranger = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  assert(await runner.platform.killGroup(stranger.pid, { graceMs: 0 }));
  assert(isAlive(stranger.pid));
  stranger.kill("SIGKILL");
  await stranger.status;
});

Deno.test("K42: killMarked() ends what a dead worker's task left behind, and nothing else", async () => {
  await using runner = new CommandRunner();
  const env = runEnvironment();
  const left = new Deno.Command("python3", {
    args: ["-c", daemon("1000")],
    env,
    clearEnv: true,
    stdout: "piped",
  });
  const other = runner.script("echo ready; exec sleep 1000", { ...env, RUN_ID: "1" });
  await runner.printed(/ready/);
  const child = left.spawn();
  const reader = child.stdout.getReader();
  const pid = Number(/\d+/.exec(new TextDecoder().decode((await reader.read()).value))?.[0]);
  await child.status;
  assert(isAlive(pid));
  const { TASK_ID, RUN_ID, TASK_WORKDIR } = env as Record<"TASK_ID" | "RUN_ID" | "TASK_WORKDIR", string>;
  assert(await runner.platform.killMarked([{ TASK_ID, RUN_ID, TASK_WORKDIR }], { graceMs: 1_000 }));
  assert(!isAlive(pid));
  assert(isAlive(other.pid));
  assert(await runner.platform.killMarked([{}], { graceMs: 0 }));
  assert(isAlive(other.pid));
  await reader.cancel();
  assert(await runner.platform.killGroup(other.pid, { graceMs: 0 }));
});

Deno.test("killEverything() kills all running groups without waiting", async () => {
  await using runner = new CommandRunner();
  const processes = [1, 2].map((number) => runner.script(`echo ready${number}; trap '' TERM; sleep 1000`));
  await Promise.all([runner.printed(/ready1/), runner.printed(/ready2/)]);
  runner.platform.killEverything();
  const ends = await Promise.all(processes.map((process) => process.exited));
  assert.deepEqual(ends.map((end) => end.signal), ["killed", "killed"]);
});

Deno.test("K2: killEverything() reaches a daemon that left its group", async () => {
  await using runner = new CommandRunner();
  const env = runEnvironment();
  const script = `setsid sh -c 'trap "" TERM; echo daemon $$; sleep 1000' & wait`;
  const process = runner.script(script, { ...env, PATH: "/usr/bin:/bin" });
  const [, pid] = await runner.printed(/daemon (\d+)/);
  runner.platform.killEverything();
  await process.exited;
  assert(!isAlive(Number(pid)));
});

Deno.test("groupMemoryBytes() counts what a command and its children hold", async () => {
  await using runner = new CommandRunner();
  const hold = "import time; held = bytearray(50_000_000); print('ready', flush=True); time.sleep(1000)";
  const process = runner.script(`python3 -S -c "${hold}" & wait`);
  await runner.printed(/ready/);
  const bytes = runner.platform.groupMemoryBytes(process.pid);
  assert(bytes > 50_000_000 && bytes < 150_000_000, `${bytes} bytes`);
  await runner.platform.killGroup(process.pid, { graceMs: 0 });
  assert.equal(runner.platform.groupMemoryBytes(process.pid), 0);
});
