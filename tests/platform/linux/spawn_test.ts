import assert from "node:assert/strict";
import { createPlatform } from "../../../src/platform/linux/mod.ts";
import { SpawnError } from "../../../src/platform/platform.ts";
import { CommandRunner, testEnvironment } from "./run_command.ts";

const isRoot = Deno.uid() === 0;

function refusal(options: { argv: string[]; cwd?: string; env?: Record<string, string> }): string {
  try {
    createPlatform().spawn({ cwd: "/", env: testEnvironment, ...options });
  } catch (error) {
    assert(error instanceof SpawnError);
    return error.message;
  }
  throw new Error("The command was started");
}

function withDirectory(test: (directory: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const directory = Deno.makeTempDirSync();
    try {
      await test(directory);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  };
}

Deno.test("spawn() says in the system's words that a program given by path is missing", () => {
  assert.equal(refusal({ argv: ["/missing/tool"] }), "fork/exec /missing/tool: no such file or directory");
  assert.equal(refusal({ argv: ["./missing"] }), "fork/exec ./missing: no such file or directory");
});

Deno.test("spawn() says that a bare name is nowhere in the search path", () => {
  assert.equal(
    refusal({ argv: ["no-such-tool"] }),
    'exec: "no-such-tool": executable file not found in $PATH',
  );
});

Deno.test("spawn() refuses an empty command", () => {
  assert.equal(refusal({ argv: [] }), "exec: no command");
  assert.equal(refusal({ argv: [""] }), "exec: no command");
});

Deno.test(
  "spawn() says permission denied for a file that is not executable and for a directory",
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/plain`, "echo hi\n", { mode: 0o644 });
    assert.equal(refusal({ argv: ["./plain"], cwd: directory }), "fork/exec ./plain: permission denied");
    assert.equal(refusal({ argv: ["/tmp"] }), "fork/exec /tmp: permission denied");
  }),
);

Deno.test(
  "spawn() says exec format error for an executable file the system cannot load",
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/text`, "echo no first line\n", { mode: 0o755 });
    assert.equal(refusal({ argv: ["./text"], cwd: directory }), "fork/exec ./text: exec format error");
  }),
);

Deno.test(
  "spawn() names the missing interpreter of a script",
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/script`, "#!/bin/sh\r\necho hi\r\n", { mode: 0o755 });
    assert.equal(
      refusal({ argv: ["./script"], cwd: directory }),
      'fork/exec ./script: no such file or directory (the file exists, but its interpreter "/bin/sh\\r" does not)',
    );
  }),
);

Deno.test("spawn() says that the working directory is missing or no directory", () => {
  assert.equal(refusal({ argv: ["true"], cwd: "/missing" }), "chdir /missing: no such file or directory");
  assert.equal(refusal({ argv: ["true"], cwd: "/etc/passwd" }), "chdir /etc/passwd: not a directory");
});

Deno.test("spawn() says where a NUL byte is, instead of cutting the word short", () => {
  const nul = "invalid argument";
  assert.match(refusal({ argv: ["true", "a\0b"] }), new RegExp(`${nul} \\(word 1 of the command contains`));
  assert.match(refusal({ argv: ["tr\0ue"] }), new RegExp(`tr\\\\0ue: ${nul} \\(word 0 of the command`));
  assert.match(refusal({ argv: ["true"], env: { ...testEnvironment, A: "\0" } }), /environment variable A/);
  assert.match(refusal({ argv: ["true"], cwd: "/\0" }), /the working directory/);
});

Deno.test("spawn() says argument list too long", () => {
  assert.match(
    refusal({ argv: ["true", "x".repeat(1 << 18)] }),
    /^fork\/exec .*\/true: argument list too long$/,
  );
});

Deno.test(
  "spawn() searches the task's PATH, not the worker's (weakness 02 §12.12)",
  withDirectory(async (directory) => {
    Deno.writeTextFileSync(`${directory}/only-here`, "#!/bin/sh\necho found\n", { mode: 0o755 });
    await using runner = new CommandRunner();
    const { platform, output } = runner;
    const env = { PATH: directory };
    await platform.spawn({ argv: ["only-here"], cwd: "/", env, output }).exited;
    const searchPath = `/missing:${directory}`;
    await platform.spawn({ argv: ["only-here"], cwd: "/", env: {}, searchPath, output }).exited;
    output.drain();
    assert.equal(runner.text, "found\nfound\n");
  }),
);

Deno.test(
  "spawn() skips directories and files without execute permission while searching",
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/a/tool`, { recursive: true });
    Deno.mkdirSync(`${directory}/b`);
    Deno.mkdirSync(`${directory}/c`);
    Deno.writeTextFileSync(`${directory}/b/tool`, "", { mode: 0o644 });
    Deno.writeTextFileSync(`${directory}/c/tool`, "#!/bin/sh\necho third\n", { mode: 0o755 });
    await using runner = new CommandRunner();
    const { platform, output } = runner;
    // Relative entries count from the working directory of the command.
    await platform.spawn({ argv: ["tool"], cwd: directory, env: { PATH: "a:b:c" }, output }).exited;
    output.drain();
    assert.equal(runner.text, "third\n");
  }),
);

Deno.test(
  "spawn() finds a relative path from the working directory of the command",
  withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/bin`);
    Deno.writeTextFileSync(`${directory}/bin/here`, "#!/bin/sh\npwd\n", { mode: 0o755 });
    await using runner = new CommandRunner();
    assert.equal((await runner.run(["bin/here"], directory)).code, 0);
    assert.equal(runner.text, `${Deno.realPathSync(directory)}\n`);
  }),
);

Deno.test("spawn() passes words and environment unchanged, whatever they hold", async () => {
  await using runner = new CommandRunner();
  const value = `()%!^"<>&|%3 r %!4 %~4RS %3 %PATH% %% "  tt\n{"ä": "\u{1f600}'"}`;
  const words = ["", " ", "a b", "'", '"', "$HOME", "\n", "ü\u{1f600}", "-n"];
  const env = { ...testEnvironment, VALUE: value, "with space": "1", EMPTY: "" };
  const code = "import json,os,sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))";
  const process = runner.platform.spawn({
    argv: ["python3", "-c", code, ...words],
    cwd: "/",
    env,
    output: runner.output,
  });
  await process.exited;
  runner.output.drain();
  const [seenWords, seenEnv] = JSON.parse(runner.text);
  assert.deepEqual(seenWords, words);
  delete seenEnv["LC_CTYPE"];
  assert.deepEqual(seenEnv, env);
});

Deno.test("spawn() lets thousands of words and variables through", async () => {
  await using runner = new CommandRunner();
  const words = Array.from({ length: 5_000 }, (_, index) => `word${index}`);
  const env = Object.fromEntries(words.map((word) => [word, word]));
  const process = runner.platform.spawn({
    argv: ["sh", "-c", 'echo $# "${4999}" "$word4999"', ...words],
    cwd: "/",
    env,
    searchPath: "/bin",
    output: runner.output,
  });
  assert.equal((await process.exited).code, 0);
  runner.output.drain();
  assert.equal(runner.text, "4999 word4999 word4999\n");
});

Deno.test("spawn() gives the process the null device, its own group, and no other descriptor", async () => {
  await using runner = new CommandRunner();
  const process = runner.script(
    'cat; echo "$$ $(cut -d" " -f5 /proc/$$/stat)"; exec ls /proc/self/fd',
  );
  assert.equal((await process.exited).code, 0);
  runner.output.drain();
  const [pid, group, ...descriptors] = runner.text.trim().split(/\s+/);
  assert.equal(pid, String(process.pid));
  assert.equal(group, String(process.pid));
  // The fourth is the directory that ls reads.
  assert.deepEqual(descriptors, ["0", "1", "2", "3"]);
});

Deno.test("spawn() leaves no signal blocked or ignored, so that a broken pipe ends a writer", async () => {
  await using runner = new CommandRunner();
  await runner.run(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]);
  assert.deepEqual(runner.text.match(/[0-9a-f]{16}/g), ["0".repeat(16), "0".repeat(16)]);
});

Deno.test("spawn() without an output pipe sends output nowhere", async () => {
  const process = createPlatform().spawn({
    argv: [
      "sh",
      "-c",
      "readlink /proc/$$/fd/1 /proc/$$/fd/2 | grep -vx /dev/null && exit 9; echo lost; exit 0",
    ],
    cwd: "/",
    env: testEnvironment,
  });
  assert.equal((await process.exited).code, 0);
});

Deno.test("spawn() runs a command with another account's user and groups", { ignore: !isRoot }, async () => {
  await using runner = new CommandRunner();
  const process = runner.platform.spawn({
    argv: ["sh", "-c", 'echo "$(id -u) $(id -g) $(id -G) $0"', "zero"],
    cwd: "/",
    env: testEnvironment,
    identity: { uid: 12_345, gid: 12_346, groups: [12_347, 12_348] },
    output: runner.output,
  });
  assert.equal((await process.exited).code, 0);
  runner.output.drain();
  assert.equal(runner.text, "12345 12346 12346 12347 12348 zero\n");
});
