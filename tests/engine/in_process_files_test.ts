import assert from "node:assert/strict";
import { TaskFileError, type TaskFiles } from "../../src/engine/engine.ts";
import { createInProcessFiles } from "../../src/engine/in_process_files.ts";
import { createPlatform } from "../../src/platform/linux/mod.ts";
import { type Platform, SystemError } from "../../src/platform/platform.ts";

const platform = createPlatform();

async function inDirectory(test: (files: TaskFiles, directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(createInProcessFiles(platform), directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(() => undefined, (error) => error);
  assert(error instanceof TaskFileError, `got ${error}`);
  return error.code;
}

Deno.test("open() reads a file from the start, and once more after seek()", () =>
  inDirectory(async (files, directory) => {
    await Deno.writeTextFile(`${directory}/file`, "0123456789");
    const file = await files.open(`${directory}/file`);
    assert.deepEqual(file.facts, { kind: "file", sizeBytes: 10 });
    const buffer = new Uint8Array(6);
    assert.equal(await file.read(buffer), 6);
    assert.equal(await file.read(buffer), 4);
    assert.equal(await file.read(buffer), 0);
    await file.seek(8);
    assert.equal(await file.read(buffer), 2);
    assert.equal(new TextDecoder().decode(buffer.subarray(0, 2)), "89");
    file.close();
    file.close();
  }));

Deno.test("open() keeps to the file it opened although another takes its name", () =>
  inDirectory(async (files, directory) => {
    await Deno.writeTextFile(`${directory}/file`, "first");
    const file = await files.open(`${directory}/file`);
    await Deno.remove(`${directory}/file`);
    await Deno.writeTextFile(`${directory}/file`, "second");
    const buffer = new Uint8Array(20);
    assert.equal(await file.read(buffer), 5);
    file.close();
  }));

Deno.test("open() says what a FIFO, a directory and a device are, and refuses to read them", () =>
  inDirectory(async (files, directory) => {
    await new Deno.Command("mkfifo", { args: [`${directory}/fifo`] }).output();
    for (
      const [path, kind] of [[`${directory}/fifo`, "other"], [directory, "directory"], ["/dev/zero", "other"]]
    ) {
      const file = await files.open(path!);
      assert.equal(file.facts.kind, kind);
      assert.equal(await codeOf(file.read(new Uint8Array(1))), "invalid");
      file.close();
    }
  }));

Deno.test("open() tells missing files from those that cannot be opened", () =>
  inDirectory(async (files, directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    await Deno.symlink("nowhere", `${directory}/dangling`);
    await Deno.symlink("loop", `${directory}/loop`);
    assert.equal(await codeOf(files.open(`${directory}/missing`)), "missing");
    assert.equal(await codeOf(files.open(`${directory}/dangling`)), "missing");
    assert.equal(await codeOf(files.open(`${directory}/file/below`)), "missing");
    assert.equal(await codeOf(files.open(`${directory}/loop`)), "invalid");
    assert.equal(await codeOf(files.open(`${directory}/\0`)), "invalid");
    assert.equal(await codeOf(files.open(`${directory}/${"x".repeat(300)}`)), "invalid");
  }));

Deno.test("open() and list() say when the account may not read", async () => {
  const refuse = () => {
    throw new SystemError("EACCES", "/secret: permission denied");
  };
  const locked: Platform = { ...platform, openFile: refuse, listDirectory: refuse };
  const files = createInProcessFiles(locked);
  assert.equal(await codeOf(files.open("/secret")), "not-readable");
  assert.equal(await codeOf(files.list("/secret")), "not-readable");
  await assert.rejects(files.open("/secret"), { message: "Cannot open /secret: permission denied" });
});

Deno.test("lstat() gives facts of the link itself, and tells missing files", () =>
  inDirectory(async (files, directory) => {
    await Deno.writeTextFile(`${directory}/file`, "abc");
    await Deno.symlink("file", `${directory}/link`);
    assert.deepEqual(await files.lstat(`${directory}/file`), { kind: "file", sizeBytes: 3 });
    assert.equal((await files.lstat(`${directory}/link`)).kind, "symlink");
    assert.equal((await files.lstat(directory)).kind, "directory");
    assert.equal(await codeOf(files.lstat(`${directory}/missing`)), "missing");
    assert.equal(await codeOf(files.lstat(`${directory}/file/below`)), "missing");
  }));

Deno.test("list() gives names in byte order; one that is not UTF-8 turns up as missing (weakness K48)", () =>
  inDirectory(async (files, directory) => {
    for (const name of ["b", "a", "\u{1f600}", "\u{fb01}"]) {
      await Deno.writeTextFile(`${directory}/${name}`, "");
    }
    const code = `open(b"${directory}/z\\xff", "w")`;
    await new Deno.Command("python3", { args: ["-c", code] }).output();
    const names = await files.list(directory);
    assert.deepEqual(names, ["a", "b", "z\u{fffd}", "\u{fb01}", "\u{1f600}"]);
    assert.equal(await codeOf(files.lstat(`${directory}/z\u{fffd}`)), "missing");
    assert.equal(await codeOf(files.open(`${directory}/z\u{fffd}`)), "missing");
  }));

Deno.test("list() refuses what is no directory", () =>
  inDirectory(async (files, directory) => {
    await Deno.writeTextFile(`${directory}/file`, "");
    assert.equal(await codeOf(files.list(`${directory}/missing`)), "missing");
    assert.equal(await codeOf(files.list(`${directory}/file`)), "missing");
  }));
