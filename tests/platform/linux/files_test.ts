import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { listDirectory, lookAt, openFile } from "../../../src/platform/linux/files.ts";
import { SystemError } from "../../../src/platform/platform.ts";
import { CommandRunner, openDescriptors } from "./run_command.ts";

async function inDirectory(test: (directory: string) => Promise<void> | void): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert(error instanceof SystemError);
    return error.code;
  }
  throw new Error("The call succeeded");
}

Deno.test("openFile() gives the facts and content of a regular file", () =>
  inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "content");
    await Deno.symlink("file", `${directory}/link`);
    for (const name of ["file", "link"]) {
      const { facts, file } = openFile(`${directory}/${name}`);
      assert.deepEqual(facts, { kind: "file", sizeBytes: 7 });
      assert(file);
      const buffer = new Uint8Array(20);
      assert.equal(await file.readAt(buffer, 0), 7);
      assert.equal(await file.readAt(buffer, 3), 4);
      assert.equal(new TextDecoder().decode(buffer.subarray(0, 4)), "tent");
      assert.equal(await file.readAt(buffer, 7), 0);
      file.close();
    }
  }));

Deno.test("openFile() does not block on a FIFO and opens no device, directory or FIFO for reading", () =>
  inDirectory(async (directory) => {
    await using runner = new CommandRunner();
    await runner.run(["mkfifo", `${directory}/fifo`]);
    const fifo = openFile(`${directory}/fifo`);
    assert.deepEqual(fifo, { facts: { kind: "other", sizeBytes: 0, special: "fifo" }, file: undefined });
    const folder = openFile(directory);
    assert(folder.facts.kind === "directory" && folder.file === undefined);
    const device = openFile("/dev/zero");
    assert(device.facts.special === "device" && device.file === undefined);
  }));

Deno.test("openFile() tells apart what is missing, in a loop, too long and not openable", () =>
  inDirectory(async (directory) => {
    await Deno.symlink("loop", `${directory}/loop`);
    await Deno.writeTextFile(`${directory}/file`, "");
    assert.equal(codeOf(() => openFile(`${directory}/missing`)), "ENOENT");
    assert.equal(codeOf(() => openFile(`${directory}/file/below`)), "ENOTDIR");
    assert.equal(codeOf(() => openFile(`${directory}/loop`)), "ELOOP");
    assert.equal(codeOf(() => openFile(`${directory}/${"x".repeat(300)}`)), "ENAMETOOLONG");
    assert.equal(codeOf(() => openFile(`${directory}/a\0b`)), "EINVAL");
    const listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    assert.equal(codeOf(() => openFile(`${directory}/socket`)), "ENXIO");
    listener.close();
  }));

Deno.test("openFile() gives a file whose reads say why they fail, and that is closed once they are over", () =>
  inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "content");
    const before = openDescriptors();
    // The kernel refuses to read a process's memory from where nothing is.
    const memory = openFile("/proc/self/mem").file;
    assert(memory);
    await assert.rejects(memory.readAt(new Uint8Array(1), 0), {
      code: "EIO",
      message: /^\/proc\/self\/mem: /,
    });
    memory.close();
    const { file } = openFile(`${directory}/file`);
    const buffer = new Uint8Array(20);
    const reading = file?.readAt(buffer, 0);
    file?.close();
    file?.close();
    assert.equal(await reading, 7);
    await assert.rejects(file!.readAt(buffer, 0), /it was closed/);
    assert.equal(openDescriptors(), before);
  }));

Deno.test("lookAt() tells what is at a path, of a link itself, and of files the kernel makes up", () =>
  inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "abc");
    await Deno.symlink("file", `${directory}/link`);
    assert.deepEqual(lookAt(`${directory}/file`), { kind: "file", sizeBytes: 3 });
    assert.deepEqual(lookAt(`${directory}/link`), { kind: "symlink", sizeBytes: 4 });
    assert.equal(lookAt(directory).kind, "directory");
    assert.equal(lookAt("/dev/null").special, "device");
    assert.deepEqual(lookAt("/proc/meminfo"), { kind: "file", sizeBytes: 0 });
    assert.equal(codeOf(() => lookAt(`${directory}/missing`)), "ENOENT");
    assert.equal(codeOf(() => lookAt(`${directory}/a\0b`)), "EINVAL");
    const listener = Deno.listen({ transport: "unix", path: `${directory}/socket` });
    assert.equal(lookAt(`${directory}/socket`).special, "socket");
    listener.close();
  }));

Deno.test("openFile() leaves no descriptor open, whatever it finds", () =>
  inDirectory(async (directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    openFile(`${directory}/file`).file?.close();
    const before = openDescriptors();
    for (let count = 0; count < 50; count++) {
      openFile(`${directory}/file`).file?.close();
      openFile(directory);
      codeOf(() => openFile(`${directory}/missing`));
      listDirectory(directory);
    }
    assert.equal(openDescriptors(), before);
  }));

Deno.test("listDirectory() sorts by bytes, where UTF-16 would sort otherwise", () =>
  inDirectory(async (directory) => {
    const names = [".hidden", "..x", "A", "Z", "a", "b", "\u{e9}", "\u{fb01}", "\u{1f600}", "\u{feff}bom"];
    for (const name of names) await Deno.writeTextFile(`${directory}/${name}`, "");
    const encoder = new TextEncoder();
    const expected = names.toSorted((a, b) => Buffer.compare(encoder.encode(a), encoder.encode(b)));
    assert.deepEqual(listDirectory(directory), expected.map((name) => ({ name, exact: true })));
  }));

Deno.test("listDirectory() lists a name that is not UTF-8, marked as one that leads nowhere (weakness K48)", () =>
  inDirectory(async (directory) => {
    await using runner = new CommandRunner();
    const code = `open(b"${directory}/b\\xffd", "w"); open(b"${directory}/plain", "w")`;
    assert.equal((await runner.run(["python3", "-c", code])).code, 0);
    assert.deepEqual(listDirectory(directory), [
      { name: "b\u{fffd}d", exact: false },
      { name: "plain", exact: true },
    ]);
    assert.equal(codeOf(() => openFile(`${directory}/b\u{fffd}d`)), "ENOENT");
  }));

Deno.test("listDirectory() lists more names than fit into one answer of the system", () =>
  inDirectory(async (directory) => {
    const names = Array.from({ length: 5_000 }, (_, index) => `name-of-some-length-${10_000 + index}`);
    for (const name of names) Deno.writeFileSync(`${directory}/${name}`, new Uint8Array());
    assert.deepEqual(listDirectory(directory).map(({ name }) => name), names);
    await Promise.resolve();
  }));

Deno.test("listDirectory() does not follow a symlink and refuses what is no directory", () =>
  inDirectory(async (directory) => {
    await Deno.symlink("/", `${directory}/link`);
    await Deno.writeTextFile(`${directory}/file`, "");
    assert.match(codeOf(() => listDirectory(`${directory}/link`)), /^E(NOTDIR|LOOP)$/);
    assert.equal(codeOf(() => listDirectory(`${directory}/file`)), "ENOTDIR");
    assert.equal(codeOf(() => listDirectory(`${directory}/missing`)), "ENOENT");
  }));
