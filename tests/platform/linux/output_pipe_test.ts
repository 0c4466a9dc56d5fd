import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createPlatform } from "../../../src/platform/linux/mod.ts";
import { CommandRunner, openDescriptors, testEnvironment } from "./run_command.ts";

Deno.test("an output pipe delivers 100 MB without a newline byte for byte", async () => {
  const platform = createPlatform();
  const output = platform.createOutputPipe();
  const seen = createHash("sha256");
  let bytes = 0;
  output.start((chunk) => {
    bytes += chunk.length;
    seen.update(chunk);
  });
  const write = "import os,sys\nblock = bytes(i * 7 % 251 for i in range(100_000)).replace(b'\\n', b'x')\n" +
    "for _ in range(1000): sys.stdout.buffer.write(block)";
  const process = platform.spawn({ argv: ["python3", "-c", write], cwd: "/", env: testEnvironment, output });
  assert.equal((await process.exited).code, 0);
  output.drain();
  output.close();
  await platform.idle();
  const block = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7 % 251);
  for (let at = block.indexOf(10); at !== -1; at = block.indexOf(10, at)) block[at] = 0x78;
  const expected = createHash("sha256");
  for (let count = 0; count < 1_000; count++) expected.update(block);
  assert.equal(bytes, 100_000_000);
  assert.equal(seen.digest("hex"), expected.digest("hex"));
});

Deno.test("an output pipe keeps stdout and stderr in the order they were written", async () => {
  await using runner = new CommandRunner();
  const write = "import os\nfor i in range(2000): os.write(1 + i % 2, b'%d\\n' % i)";
  await runner.run(["python3", "-c", write]);
  assert.equal(runner.text, Array.from({ length: 2_000 }, (_, index) => `${index}\n`).join(""));
});

Deno.test("an output pipe serves several commands after one another", async () => {
  await using runner = new CommandRunner();
  for (const word of ["one", "two", "three"]) await runner.run(["echo", word]);
  assert.equal(runner.text, "one\ntwo\nthree\n");
});

Deno.test("drain() delivers what a command wrote, although nothing was read before", async () => {
  const platform = createPlatform();
  const output = platform.createOutputPipe();
  let text = "";
  const process = platform.spawn({ argv: ["echo", "early"], cwd: "/", env: testEnvironment, output });
  await process.exited;
  output.start((bytes) => text += new TextDecoder().decode(bytes));
  output.drain();
  assert.equal(text, "early\n");
  output.close();
  await platform.idle();
});

Deno.test("drain() returns although a background child never stops writing", async () => {
  const platform = createPlatform();
  const output = platform.createOutputPipe();
  let bytes = 0;
  output.start((chunk) => bytes += chunk.length);
  const process = platform.spawn({
    argv: ["sh", "-c", "yes & head -c 3000000 /dev/zero"],
    cwd: "/",
    env: testEnvironment,
    output,
  });
  await process.exited;
  output.drain();
  assert(bytes >= 3_000_000);
  assert(await platform.killGroup(process.pid, { graceMs: 0 }));
  output.close();
  await platform.idle();
});

Deno.test("a background child is heard until close(), and then gets a broken pipe (weakness 02 §12.11)", async () => {
  await using runner = new CommandRunner();
  const directory = Deno.makeTempDirSync();
  const fifo = `${directory}/end`;
  assert.equal((await runner.run(["mkfifo", fifo])).code, 0);
  const child = `trap '' PIPE; while echo tick; do :; done 2>/dev/null; echo no reader > ${fifo}`;
  const process = runner.script(`(${child}) & exit 0`);
  assert.equal((await process.exited).code, 0);
  await runner.printed(/tick\ntick\n/);
  runner.output.close();
  const heard = runner.text;
  assert.equal(await Deno.readTextFile(fifo), "no reader\n");
  assert.equal(runner.text, heard);
  assert(await runner.platform.killGroup(process.pid, { graceMs: 1_000 }));
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("an output pipe lets timers run while a command floods it", async () => {
  const platform = createPlatform();
  const output = platform.createOutputPipe();
  let bytes = 0;
  let turns = 0;
  output.start((chunk) => bytes += chunk.length);
  const timer = setInterval(() => turns++, 1);
  const argv = ["head", "-c", "200000000", "/dev/zero"];
  await platform.spawn({ argv, cwd: "/", env: testEnvironment, output }).exited;
  clearInterval(timer);
  output.drain();
  output.close();
  await platform.idle();
  assert.equal(bytes, 200_000_000);
  assert(turns >= 5, `only ${turns} turns`);
});

Deno.test("close() frees both ends, may come twice, and may come from the consumer", async () => {
  const platform = createPlatform();
  await platform.spawn({ argv: ["true"], cwd: "/", env: testEnvironment }).exited;
  const before = openDescriptors();
  const output = platform.createOutputPipe();
  assert.equal(openDescriptors(), before + 2);
  const closed = Promise.withResolvers<void>();
  output.start(() => {
    output.close();
    closed.resolve();
  });
  const process = platform.spawn({ argv: ["echo", "x"], cwd: "/", env: testEnvironment, output });
  await closed.promise;
  output.close();
  await platform.idle();
  output.drain();
  await process.exited;
  assert(openDescriptors() <= before);
  assert.throws(
    () => platform.spawn({ argv: ["true"], cwd: "/", env: testEnvironment, output }),
    /was closed/,
  );
});
