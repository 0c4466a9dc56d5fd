import assert from "node:assert/strict";
import { readSystemFile, readSystemFileIfThere } from "../../../src/platform/linux/system_file.ts";
import { CommandRunner, openDescriptors } from "./run_command.ts";

Deno.test("readSystemFile() reads what has no size, and leaves nothing open", () => {
  const before = openDescriptors();
  for (let count = 0; count < 20; count++) {
    assert.match(readSystemFile("/proc/self/status"), /^Name:.*^Pid:\s+\d+$/ms);
    assert.equal(readSystemFileIfThere("/proc/self/missing"), undefined);
  }
  assert.equal(openDescriptors(), before);
});

Deno.test("readSystemFile() reads content of any length whole", async () => {
  await using runner = new CommandRunner();
  for (const length of [0, 1, 4000, 4096, 4097, 100_000]) {
    const env = { PATH: "/usr/bin:/bin", FILL: "x".repeat(length), LAST: "end" };
    // Not one that runs `exec`, which takes the environment away for a moment.
    const process = runner.script("echo ready; while :; do sleep 1000; done", env);
    await runner.printed(/ready/);
    runner.text = "";
    const entries = readSystemFile(`/proc/${process.pid}/environ`).split("\0");
    assert(entries.includes(`FILL=${env.FILL}`) && entries.includes("LAST=end"), `${length}`);
    await runner.platform.killGroup(process.pid, { graceMs: 0 });
  }
});

Deno.test("readSystemFile() says which file it is that can't be read, and why", () => {
  assert.throws(() => readSystemFile("/proc/self/missing"), {
    code: "ENOENT",
    message: "/proc/self/missing: no such file or directory",
  });
  assert.throws(() => readSystemFile("/proc"), { code: "EISDIR" });
  assert.throws(() => readSystemFile("/proc/\0"), { code: "EINVAL" });
});
