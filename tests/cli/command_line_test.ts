import { strict as assert } from "node:assert";
import { versionLine } from "../../src/cli/build_info.ts";
import { genericWorker, genericWorkerCommand } from "../support/generic_worker.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

Deno.test("--version prints one line with engine and version", async () => {
  const { code, stdout, stderr } = await genericWorker(["--version"]);
  assert.match(
    stdout,
    /^generic-worker \(insecure engine\) \d+\.\d+\.\d+( \[ revision: https:\/\/github\.com\/taskcluster\/taskcluster\/commits\/[0-9a-f]{40} \])?\n$/,
  );
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("versionLine() adds the revision where it is known", () => {
  const revision = "0123456789abcdef0123456789abcdef01234567";
  assert.equal(
    versionLine({ engine: "multiuser", os: "linux", version: "106.0.0", revision }),
    `generic-worker (multiuser engine) 106.0.0 [ revision: https://github.com/taskcluster/taskcluster/commits/${revision} ]`,
  );
});

Deno.test("--short-version prints the number that --version prints", async () => {
  const [short, long] = await Promise.all([genericWorker(["--short-version"]), genericWorker(["--version"])]);
  assert.match(short.stdout, /^\d+\.\d+\.\d+\n$/);
  assert.ok(`${long.stdout.trimEnd()} `.includes(` ${short.stdout.trim()} `));
});

Deno.test("a command line that is not understood names the mistake, prints usage to stderr and exits with 1", async () => {
  for (
    const [words, first] of [
      [["stauts"], "Unknown command stauts; did you mean status?"],
      [["run", "--confg", "x"], "Unknown option --confg; did you mean --config?"],
      [["xyzzy"], "Unknown command xyzzy"],
      [[], "No command is given"],
    ] as const
  ) {
    const { code, stdout, stderr } = await genericWorker(words);
    assert.deepEqual([code, stdout], [1, ""]);
    const [line, usage, ...commands] = stderr.split("\n");
    assert.deepEqual([line, usage], [first, "Usage:"]);
    assert.ok(commands.some((each) => each.startsWith("  generic-worker run [--config FILE]")));
  }
});

Deno.test("--help exits with 0 whatever stands beside it", async () => {
  const { code, stdout, stderr } = await genericWorker(["nonsense", "--help", "--bogus"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^generic-worker \(insecure engine\) .*\n[\s\S]*\nExit Codes:\n/);
});

Deno.test("--help does not mind a reader that leaves", async () => {
  const { program, words } = genericWorkerCommand();
  const line = [program, ...words, "--help"].map((word) => `'${word}'`).join(" ");
  const script = `{ ${line}; echo "exit $?" >&2; } | true`;
  const { stderr } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert.equal(new TextDecoder().decode(stderr), "exit 0\n");
});

Deno.test("show-payload-schema prints the schema of this build with sorted keys", async () => {
  const { code, stdout } = await genericWorker(["show-payload-schema"]);
  const schema = JSON.parse(stdout);
  assert.equal(code, 0);
  assert.equal(schema.$id, "/schemas/generic-worker/insecure_posix.json#");
  const keys = Object.keys(schema);
  assert.deepEqual(keys, keys.toSorted());
  assert.equal(schema.oneOf.length, 2);
  assert.ok(stdout.includes('"writableDirectoryCache":') && stdout.endsWith("\n}\n"));
  assert.doesNotMatch(stdout, /[<>&]/);
});

Deno.test("run exits with 64 for a config file that is not there, and with 73 for an empty one", async () => {
  using directory = new TemporaryDirectory();
  Deno.writeTextFileSync(directory.at("empty.json"), "{}");
  const missing = await genericWorker(["run"], { cwd: directory.path });
  assert.equal(missing.code, 64);
  assert.ok(missing.stderr.includes(`${directory.path}/generic-worker.config`), missing.stderr);
  const empty = await genericWorker(["--config=empty.json", "run"], { cwd: directory.path });
  assert.equal(empty.code, 73);
  assert.match(empty.stderr, /: "accessToken" needs a value/);
});
