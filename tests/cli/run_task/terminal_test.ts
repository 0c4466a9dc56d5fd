import { strict as assert } from "node:assert";
import { genericWorkerCommand } from "../../support/generic_worker.ts";
import { shell } from "../../support/worker.ts";
import { RunTaskPlace } from "../../support/run_task_process.ts";

/** What a terminal would get of `run-task task.json`; util-linux's `script` is the terminal. */
async function onTerminal(place: RunTaskPlace, env: Readonly<Record<string, string>>): Promise<string> {
  const { program, words, env: needed } = genericWorkerCommand();
  const command = [program, ...words, "run-task", "task.json"].map((word) => `'${word}'`).join(" ");
  const { stdout } = await new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    cwd: place.at(""),
    env: { ...needed, TMPDIR: place.temporary, NO_COLOR: "", TERM: "xterm", ...env },
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("run-task paints the worker's own lines on a terminal, and only there", async () => {
  using place = new RunTaskPlace({ "task.json": shell("echo plain; exit 1") });
  const terminal = await onTerminal(place, {});
  const shown = terminal.replaceAll("\x1b[", "<").replaceAll("\r\n", "\n");
  assert.match(shown, /\n<36m\[taskcluster \S+\] === Task Starting ===<0m\n/);
  assert.match(shown, /\nplain\n/);
  assert.match(shown, /\n<31m\[taskcluster:error\] exit status 1<0m\n/);
  const piped = await place.run(["task.json"], { env: { NO_COLOR: "" } });
  assert.ok(!(piped.stdout + piped.stderr).includes("\x1b"));
});

Deno.test("run-task paints nothing when NO_COLOR is set or the terminal is a dumb one", async () => {
  using place = new RunTaskPlace({ "task.json": shell("echo plain") });
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
    assert.ok(!(await onTerminal(place, env)).includes("\x1b["), JSON.stringify(env));
  }
});

Deno.test("run-task shows a progress bar that has no newline yet", async () => {
  using place = new RunTaskPlace({
    "task.json": shell('printf "[##  ] 50%%\\r"; sleep 600', { maxRunTime: 600 }),
  });
  const process = place.start(["task.json"]);
  await process.says(/\n\[## {2}\] 50%\r/);
  process.kill("SIGINT");
  assert.equal((await process.ended).code, 2);
});

Deno.test("run-task passes bytes and lines of any length through as they are", async () => {
  using place = new RunTaskPlace({
    "task.json": shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; printf '\\377\\000\\033[31m\\n'"),
  });
  const { program, words, env } = genericWorkerCommand();
  const { stdout } = await new Deno.Command(program, {
    args: [...words, "run-task", "task.json", "--artifacts", "out"],
    cwd: place.at(""),
    env: { ...env, NO_COLOR: "1", TMPDIR: place.temporary },
  }).output();
  assert.ok(stdout.length > 3_000_000);
  assert.deepEqual(stdout, Deno.readFileSync(place.at("out/public/logs/live_backing.log")));
});

Deno.test("run-task goes on when whoever read its output went away", async () => {
  using place = new RunTaskPlace({
    "task.json": shell("seq 100000; echo kept > kept", {
      artifacts: [{ type: "file", path: "kept", name: "public/kept" }],
    }),
  });
  const { program, words, env } = genericWorkerCommand();
  const command = [program, ...words, "run-task", "task.json", "--artifacts", "out"].map((word) =>
    `'${word}'`
  );
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", `${command.join(" ")} 2>summary | head -n 1; echo "code \${PIPESTATUS[0]}"`],
    cwd: place.at(""),
    env: { ...env, NO_COLOR: "1", TMPDIR: place.temporary },
  }).output();
  assert.match(new TextDecoder().decode(stdout), /^\[taskcluster .*\ncode 0\n$/);
  assert.match(place.read("summary"), /completed\/completed/);
  assert.equal(place.read("out/public/kept"), "kept\n");
});

Deno.test("run-task's task is not held up by a reader that pauses", async () => {
  using place = new RunTaskPlace();
  const done = place.at("done");
  place.write("task.json", shell(`seq 200000; touch ${done}`));
  const { program, words, env } = genericWorkerCommand();
  const process = new Deno.Command(program, {
    args: [...words, "run-task", "task.json"],
    cwd: place.at(""),
    env: { ...env, NO_COLOR: "1", TMPDIR: place.temporary },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const watcher = Deno.watchFs(place.at(""), { recursive: false });
  for await (const { paths } of watcher) if (paths.includes(done)) break;
  const [stdout] = await Promise.all([new Response(process.stdout).text(), process.stderr.cancel()]);
  assert.match(stdout, /\n200000\n/);
  assert.equal((await process.status).code, 0);
});
