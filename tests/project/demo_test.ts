import { strict as assert } from "node:assert";
import { join } from "node:path";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { root } from "./tree.ts";

/** In the order in which a person watches them. */
const milestones = [
  /1\. A Taskcluster starts at http:\/\/127\.0\.0\.1:\d+/,
  /2\. A worker starts \(process \d+\)/,
  /3\. A task is created: [\w-]{22}/,
  /4\. The worker claims it: run 0, as demo\/demo-worker/,
  /=== Task Starting ===/,
  /\| Hello from \S+ on /,
  /\| Working: step 5 of 5/,
  /Result: SUCCEEDED/,
  /5\. The artifacts are published/,
  /public\/logs\/live_backing\.log/,
  /public\/out\/greeting\.txt holds:\n {3}\| Made by task [\w-]{22}, run 0/,
  /6\. The run is resolved: completed\/completed/,
  /7\. The worker ends with exit code 0/,
  /What to try next/,
];

Deno.test("demo shows a task's whole life, its log while it runs, and leaves nothing behind", async () => {
  using temporary = new TemporaryDirectory();
  const demo = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(root, "scripts", "demo.ts")],
    env: { TMPDIR: temporary.path },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(demo.stderr).text();
  let output = "";
  let seenLive = false;
  for await (const text of demo.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    seenLive ||= output.includes("| Working: step 1 of 5") && !output.includes("| Working: step 3 of 5");
  }
  assert.equal((await demo.status).code, 0, output + await errors);
  assert.equal(await errors, "");
  assert.ok(seenLive, "the log appears while the task runs");
  let rest = output;
  for (const milestone of milestones) {
    const found = milestone.exec(rest);
    assert.ok(found, `${milestone} is missing or too early in:\n${output}`);
    rest = rest.slice(found.index + found[0].length);
  }
  assert.ok(!output.includes("\x1b"), "no colours without a terminal");
  assert.deepEqual([...Deno.readDirSync(temporary.path)], []);
});
