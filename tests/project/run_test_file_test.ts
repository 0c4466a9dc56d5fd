/** The total of the test command must never look better than what happened. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { runTestFile, type TestReport } from "../../scripts/run_test_file.ts";

const runtime = { executable: Deno.execPath(), version: Deno.version.deno };

async function reportOf(source: string): Promise<TestReport> {
  const cwd = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(cwd, "deno.json"), "{}");
    await Deno.writeTextFile(join(cwd, "a_test.ts"), source);
    return await runTestFile("a_test.ts", { runtime, cwd });
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test("runTestFile() counts passed, failed and ignored tests", async () => {
  const { counts, output } = await reportOf(`
    Deno.test("passes", () => {});
    Deno.test("fails", () => { throw new Error("the reason"); });
    Deno.test.ignore("is ignored", () => {});
  `);
  assert.deepEqual(counts, { passed: 1, failed: 1, skipped: 1 });
  assert.match(output, /the reason/);
});

Deno.test("runTestFile() fails a file that does not load", async () => {
  const { counts, output } = await reportOf(`import "./missing.ts"; Deno.test("passes", () => {});`);
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
  assert.match(output, /missing\.ts/);
});

Deno.test("runTestFile() fails a file whose process dies", async () => {
  const { counts } = await reportOf(`Deno.test("dies", () => Deno.kill(Deno.pid, "SIGKILL"));`);
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("runTestFile() fails a file without tests", async () => {
  const { counts } = await reportOf(`export const nothing = 1;`);
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("runTestFile() fails a test that leaves a timer or a file open", async () => {
  const { counts } = await reportOf(`
    Deno.test("timer", () => { setTimeout(() => {}, 60_000); });
    Deno.test("file", () => { Deno.openSync("deno.json"); });
  `);
  assert.deepEqual(counts, { passed: 0, failed: 2, skipped: 0 });
});

Deno.test("runTestFile() does not wait for a process that a test left behind", async () => {
  const { counts, durationMs } = await reportOf(`
    Deno.test({ name: "leaves one", sanitizeResources: false, sanitizeOps: false, fn() {
      const child = new Deno.Command("sleep", { args: ["20"] }).spawn();
      child.unref();
    } });
  `);
  assert.equal(counts.failed, 0);
  assert.ok(durationMs < 15_000);
});
