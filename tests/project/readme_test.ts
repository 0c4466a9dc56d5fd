import { strict as assert } from "node:assert";
import { join } from "node:path";
import { commands, options } from "../../src/cli/commands.ts";
import { exitCodes } from "../../src/cli/exit_codes.ts";
import { developerDeno } from "../../scripts/pinned.ts";
import { genericWorker, genericWorkerCommand } from "../support/generic_worker.ts";
import { startLocalTaskcluster } from "../support/local_taskcluster_process.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { root } from "./tree.ts";

const readme = Deno.readTextFileSync(join(root, "README.md"));
const pages = ["README.md", ...[...Deno.readDirSync(join(root, "docs"))].map(({ name }) => `docs/${name}`)];

/** The content of the code block of this language that contains the text. */
function block(language: string, containing: string): string {
  const blocks = [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)];
  const found = blocks.filter(([, name, content]) => name === language && content!.includes(containing));
  assert.equal(found.length, 1, `README has one block in ${language} that contains ${containing}`);
  return found[0]![2]!;
}

/** What differs between two runs of the same task, made the same. */
function normalised(log: string): string {
  return log
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/(Hello from|Task ID:|^Task) [\w-]{22}/gm, "$1 ID")
    .replaceAll(/ (after|in) [\d.]+m?s\b/g, " $1 DURATION")
    .replaceAll(/\d+ B as gzip/g, "SIZE as gzip")
    .replaceAll(/live_backing\.log {2}.*/g, "live_backing.log  SIZE")
    .replaceAll(/log are in .*:/g, "log are in DIRECTORY:");
}

/** Every line of `shown` but the ellipses is in `real`, in that order. */
function assertShown(shown: string, real: string): void {
  let rest = real.split("\n");
  for (const line of shown.split("\n").filter((line) => line !== "…" && !line.startsWith("$ "))) {
    const at = rest.indexOf(line);
    assert.notEqual(at, -1, `README shows a line that is not there:\n${line}\nin\n${real}`);
    rest = rest.slice(at + 1);
  }
}

Deno.test("README names only commands and options that exist", () => {
  const commandNames = new Set(commands.map(({ name }) => name));
  const optionNames = new Set(options.map(({ name }) => name));
  const calls = [...readme.matchAll(/(?:^\$ |^|`|ExecStart=\S*\/)generic-worker ([^`\n]*)/gm)].map((
    [, words],
  ) => words!);
  const ofProgram = calls.map((words) => words.split(" ")).filter(([first]) => /^[a-z-]+$/.test(first!));
  assert.ok(ofProgram.length >= 8);
  for (const [first = "", ...words] of ofProgram) {
    if (!first.startsWith("--")) assert.ok(commandNames.has(first), `generic-worker ${first}`);
    for (const word of [first, ...words].filter((word) => word.startsWith("--"))) {
      assert.ok(optionNames.has(word.slice(2)), word);
    }
  }
});

Deno.test("README names only tasks of deno.json, and the Deno that tests run on", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(root, "deno.json"))) as { tasks: object };
  const named = [...readme.matchAll(/(?:deno|deno@[\d.]+) task (\w+)/g)].map(([, name]) => name!);
  assert.deepEqual([...new Set(named.filter((name) => name !== "runs"))].sort(), Object.keys(tasks).sort());
  const versions = new Set([...readme.matchAll(/deno@([\d.]+\d)/g)].map(([, version]) => version));
  assert.deepEqual([...versions], [developerDeno]);
  assert.ok(
    Deno.readTextFileSync(join(root, ".ci", "run")).includes(`npx -y deno@${developerDeno} task test`),
  );
});

Deno.test("README and docs name only files and folders that exist", () => {
  for (const page of pages) {
    const text = Deno.readTextFileSync(join(root, page));
    const paths = [...text.matchAll(/`((?:src|docs|tests|scripts|schemas)\/[\w./-]*|main\.ts)`/g)];
    for (const [, path] of paths) assert.ok(Deno.statSync(join(root, path!)), `${page}: ${path}`);
  }
});

Deno.test("README shows what run-task really prints for its payload", async () => {
  using place = new TemporaryDirectory();
  Deno.writeTextFileSync(place.at("hello.yml"), block("yaml", "Hello from"));
  const words = ["run-task", "hello.yml", "--artifacts", "results"];
  const { code, stdout, stderr } = await genericWorker(words, { cwd: place.path });
  assert.equal(code, 1, stderr);
  const shown = block("console", "$ generic-worker run-task hello.yml --artifacts results");
  assertShown(normalised(shown), normalised(stdout + stderr));
});

Deno.test("README shows what check-config really finds in a config file with mistakes", async () => {
  using place = new TemporaryDirectory();
  const mistaken = block("json", '"provisionerId": "builds"')
    .replace('"workerType"', '"workerTyp"')
    .replace(/ {2}"ed25519SigningKeyLocation"[^]*/, '  "capacity": "2"\n}\n')
    .replace(/ {2}"workerId".*\n/, "");
  Deno.writeTextFileSync(place.at("mistaken.json"), mistaken);
  const { code, stdout, stderr } = await genericWorker(["check-config", "mistaken.json"], {
    cwd: place.path,
  });
  assert.equal(code, 64);
  assertShown(block("console", "check-config mistaken.json"), stdout + stderr);
});

Deno.test("README's config file has no mistakes", async () => {
  using place = new TemporaryDirectory();
  Deno.writeTextFileSync(place.at("config.json"), block("json", '"workerId": "builder-1"'));
  const { code, stdout } = await genericWorker(["check-config", "config.json"], { cwd: place.path });
  assert.equal(code, 0, stdout);
});

Deno.test("README's systemd unit knows only exit codes that the worker has", () => {
  const unit = block("ini", "[Service]");
  const known = new Set(Object.values(exitCodes).map(({ code }) => code));
  const named = [...unit.matchAll(/ExitStatus=(.*)/g)].flatMap(([, codes]) => codes!.split(" ").map(Number));
  assert.equal(named.length, 5);
  for (const code of named) assert.ok(known.has(code as never), `exit code ${code}`);
});

/** Lets README's blocks run as they are: `generic-worker` is the program under test, `node` this Deno. */
function writeShims(directory: string): void {
  const { program, words } = genericWorkerCommand();
  const quoted = (all: readonly string[]) => all.map((word) => `'${word}'`).join(" ");
  const node = [
    Deno.execPath(),
    "run",
    "--allow-all",
    "--quiet",
    "--no-lock",
    "--config",
    join(root, "deno.json"),
  ];
  const shims = { "generic-worker": quoted([program, ...words]), node: quoted(node), npm: "true" };
  for (const [name, command] of Object.entries(shims)) {
    Deno.writeTextFileSync(join(directory, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  }
}

Deno.test("README's task is created with the npm client and run by README's worker", async () => {
  using place = new TemporaryDirectory();
  Deno.mkdirSync(place.at("bin"));
  writeShims(place.at("bin"));
  const taskcluster = await startLocalTaskcluster();
  const run = async (script: string) => {
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-e", "-c", script],
      cwd: place.path,
      env: {
        ...taskcluster.deployment,
        PATH: `${place.at("bin")}:${Deno.env.get("PATH")}`,
        NO_COLOR: "1",
        TMPDIR: place.path,
      },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(code, 0, text(stderr));
    return text(stdout);
  };
  try {
    const taskId = /^[\w-]{22}$/m.exec(await run(block("sh", "npm install taskcluster-client")))?.[0];
    assert.ok(taskId, "the script prints the id of its task");
    await run(block("sh", "generic-worker run --config worker.json"));
    const url = `${taskcluster.deployment.TASKCLUSTER_ROOT_URL}/api/queue/v1/task/${taskId}`;
    const { status } = await (await fetch(`${url}/status`)).json() as { status: { state: string } };
    assert.equal(status.state, "completed");
    assert.match(await (await fetch(`${url}/artifacts/public/logs/live.log`)).text(), /\nhello\n/);
  } finally {
    await taskcluster.stop("SIGTERM");
  }
});
