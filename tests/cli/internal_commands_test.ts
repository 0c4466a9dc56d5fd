import { strict as assert } from "node:assert";
import { genericWorker } from "../support/generic_worker.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

const stamp = String.raw`\d{4}/\d\d/\d\d \d\d:\d\d:\d\dZ`;

function permissions(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

function assertFailure(
  result: { code: number; stdout: string; stderr: string },
  code: number,
  cause: RegExp,
) {
  assert.deepEqual([result.code, result.stdout], [code, ""]);
  const [what, why, ...rest] = result.stderr.split("\n");
  assert.match(what ?? "", new RegExp(`^${stamp} Error `));
  assert.match(why ?? "", new RegExp(`^${stamp} Root cause: .*${cause.source}`));
  assert.deepEqual(rest, [""]);
}

Deno.test("copy-to-temp-file copies any bytes into a file of its own that nobody else may read", async () => {
  using directory = new TemporaryDirectory();
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  Deno.mkdirSync(directory.at("tmp"));
  Deno.writeFileSync(directory.at("data set.bin"), bytes, { mode: 0o644 });
  const env = { TMPDIR: directory.at("tmp") };
  const copy = () =>
    genericWorker(["copy-to-temp-file", "--copy-file", directory.at("data set.bin")], { env });
  const results = [await copy(), await copy()];
  for (const { code, stdout, stderr } of results) {
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout.slice(env.TMPDIR.length), /^\/data set\.bin\d+\n$/);
    assert.deepEqual(Deno.readFileSync(stdout.trimEnd()), bytes);
    assert.equal(permissions(stdout.trimEnd()), "600");
  }
  assert.notEqual(results[0]?.stdout, results[1]?.stdout);
});

Deno.test("copy-to-temp-file follows links, and uses the system's directory in an empty environment", async () => {
  using directory = new TemporaryDirectory();
  Deno.writeTextFileSync(directory.at("target"), "text");
  Deno.symlinkSync("target", directory.at("link"));
  const { code, stdout } = await genericWorker(["copy-to-temp-file", "--copy-file", "link"], {
    cwd: directory.path,
    clearEnv: true,
  });
  assert.equal(code, 0);
  assert.match(stdout, /^\/tmp\/link\d+\n$/);
  assert.equal(Deno.readTextFileSync(stdout.trimEnd()), "text");
  Deno.removeSync(stdout.trimEnd());
});

Deno.test("copy-to-temp-file exits with 76 for what is no regular file, waits for nothing and leaves nothing", async () => {
  using directory = new TemporaryDirectory();
  Deno.mkdirSync(directory.at("tmp"));
  Deno.mkdirSync(directory.at("directory"));
  await new Deno.Command("mkfifo", { args: [directory.at("fifo")] }).output();
  Deno.symlinkSync("fifo", directory.at("link"));
  const copy = (name: string) =>
    genericWorker(["copy-to-temp-file", "--copy-file", directory.at(name)], {
      env: { TMPDIR: directory.at("tmp") },
    });
  for (const name of ["directory", "fifo", "link"]) {
    const source = directory.at(name);
    const cause = new RegExp(
      `cannot copy ${source} to \\S+/tmp/${name}\\d+: ${source} is not a regular file$`,
    );
    assertFailure(await copy(name), 76, cause);
  }
  assertFailure(await copy("missing"), 76, /No such file/);
  assert.deepEqual([...Deno.readDirSync(directory.at("tmp"))], []);
});

Deno.test("create-file creates an empty file and empties an existing one", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("file");
  for (const content of [undefined, "old"]) {
    if (content !== undefined) Deno.writeTextFileSync(path, content);
    assert.deepEqual(await genericWorker(["create-file", "--create-file", path]), {
      code: 0,
      stdout: "",
      stderr: "",
    });
    assert.equal(Deno.readTextFileSync(path), "");
  }
  assertFailure(
    await genericWorker(["create-file", "--create-file", directory.at("no/file")]),
    79,
    /No such file/,
  );
  assertFailure(await genericWorker(["create-file", "--create-file", directory.path]), 79, /Is a directory/);
});

Deno.test("create-dir creates a directory and its parents for the caller alone, and is content with an existing one", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("a/b/c");
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await genericWorker(["create-dir", "--create-dir", path]), {
      code: 0,
      stdout: "",
      stderr: "",
    });
  }
  for (const each of ["a", "a/b", "a/b/c"]) assert.equal(permissions(directory.at(each)), "700");
  Deno.writeTextFileSync(directory.at("file"), "");
  assertFailure(await genericWorker(["create-dir", "--create-dir", directory.at("file")]), 80, /File exists/);
  assertFailure(
    await genericWorker(["create-dir", "--create-dir", directory.at("file/x")]),
    80,
    /Not a directory/,
  );
});

Deno.test("unarchive extracts an archive, and exits with 81 for what is none", async () => {
  using directory = new TemporaryDirectory();
  Deno.writeTextFileSync(directory.at("hello"), "world");
  await new Deno.Command("tar", { args: ["czf", "a.tgz", "hello"], cwd: directory.path }).output();
  const extract = (source: string, format: string) =>
    genericWorker(
      ["unarchive", "--archive-src", source, "--archive-dst", "out", "--archive-fmt", format],
      { cwd: directory.path },
    );
  assert.deepEqual(await extract("a.tgz", "tar.gz"), { code: 0, stdout: "", stderr: "" });
  assert.equal(Deno.readTextFileSync(directory.at("out/hello")), "world");
  assertFailure(await extract("hello", "tar.gz"), 81, /./);
  assertFailure(await extract("missing", "zip"), 81, /No such file/);
});
