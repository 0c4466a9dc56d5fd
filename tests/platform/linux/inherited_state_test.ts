import assert from "node:assert/strict";

const platformModule = new URL("../../../src/platform/linux/mod.ts", import.meta.url).href;

/** Runs a program on the platform in a worker process that a careless parent started. */
async function underParent(script: string, program: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script, "sh", Deno.execPath(), program],
    stdin: "null",
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("a worker whose parent ignores SIGCHLD still learns how its commands end", async () => {
  const program = `import { createPlatform } from "${platformModule}";
    const options = { argv: ["sh", "-c", "exit 5"], cwd: "/", env: { PATH: "/bin" } };
    console.log((await createPlatform().spawn(options).exited).code);`;
  const script = `exec python3 -c "import os,signal,sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); ` +
    `os.execvp(sys.argv[1], [sys.argv[1], 'eval', sys.argv[2]])" "$@"`;
  assert.equal(await underParent(script, program), "5");
});

Deno.test("K18: a descriptor that the worker was started with does not reach its commands", async () => {
  const program = `import { createPlatform } from "${platformModule}";
    const platform = createPlatform();
    const output = platform.createOutputPipe();
    output.start((bytes) => Deno.stdout.writeSync(bytes));
    const argv = ["sh", "-c", "test -e /proc/self/fd/7 && echo leaked || echo hidden"];
    await platform.spawn({ argv, cwd: "/", env: { PATH: "/bin" }, output }).exited;
    output.drain();
    output.close();`;
  assert.equal(await underParent('exec "$1" eval "$2" 7</dev/null', program), "hidden");
});

Deno.test("a worker with nothing left to watch ends by itself", async () => {
  const program = `import { createPlatform } from "${platformModule}";
    const platform = createPlatform();
    const output = platform.createOutputPipe();
    output.start(() => {});
    await platform.spawn({ argv: ["true"], cwd: "/", env: { PATH: "/bin" }, output }).exited;
    setTimeout(() => output.close(), 1);
    console.log("done");`;
  assert.equal(await underParent('exec "$1" eval "$2"', program), "done");
});
