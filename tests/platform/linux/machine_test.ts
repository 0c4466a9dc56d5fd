import assert from "node:assert/strict";
import { createPlatform } from "../../../src/platform/linux/mod.ts";
import { runTool } from "../../../src/platform/linux/run_tool.ts";

const platform = createPlatform();

Deno.test("memory() agrees with the runtime's own figures", () => {
  const { totalBytes, availableBytes } = platform.memory();
  assert.equal(totalBytes, Deno.systemMemoryInfo().total);
  assert(availableBytes > 0 && availableBytes < totalBytes);
});

Deno.test("freeDiskBytes() agrees with df", async () => {
  const measured = platform.freeDiskBytes("/tmp");
  const shown = Number((await runTool(["df", "--output=avail", "-B1", "/tmp"])).split("\n")[1]);
  // Others write meanwhile.
  assert(Math.abs(measured - shown) < 4e9, `${measured} and ${shown}`);
  assert.throws(() => platform.freeDiskBytes("/missing"), /at \/missing: no such file or directory/);
});

Deno.test("bootTimeMs() agrees with the time since the start", async () => {
  const upSeconds = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]);
  const bootTimeMs = platform.bootTimeMs();
  assert(bootTimeMs !== undefined);
  assert(Math.abs(Date.now() - upSeconds * 1_000 - bootTimeMs) < 5_000);
});

Deno.test("ownGroups() are the groups of the process without the one named like the account", async () => {
  const names = (await runTool(["id", "-Gn"])).split(" ");
  const account = await runTool(["id", "-un"]);
  const expected = [...new Set(names)].filter((name) => name !== account).sort();
  assert.deepEqual(await platform.ownGroups(), expected);
});

Deno.test(
  "ownGroups() shows the supplementary groups of another account",
  { ignore: Deno.uid() !== 0 },
  async () => {
    const code = "import { readOwnGroups } from './src/platform/linux/own_groups.ts';" +
      "console.log(JSON.stringify(readOwnGroups()))";
    const root = new URL("../../..", import.meta.url).pathname;
    const module = `${root}src/platform/linux/own_groups.ts`;
    const output = await runTool([
      "setpriv",
      "--groups",
      "4,6",
      Deno.execPath(),
      "eval",
      code.replace("./src/platform/linux/own_groups.ts", module),
    ]);
    const groups = JSON.parse(output.split("\n").at(-1) ?? "");
    assert.deepEqual(groups, ["adm", "disk"]);
  },
);

Deno.test("temporaryDirectory() is an absolute path", () => {
  assert.match(platform.temporaryDirectory(), /^\//);
});

Deno.test("shutdown() and reboot() run the documented commands, with sudo where needed", async () => {
  const commands: string[][] = [];
  const recorder = createPlatform({
    run: (argv) => {
      commands.push([...argv]);
      return Promise.resolve("");
    },
  });
  await recorder.shutdown("generic-worker idle timeout", { privileged: false });
  await recorder.reboot("generic-worker requested reboot", { privileged: true });
  assert.deepEqual(commands, [
    ["/usr/bin/sudo", "/sbin/shutdown", "-h", "now", "generic-worker idle timeout"],
    ["/sbin/shutdown", "-r", "now", "generic-worker requested reboot"],
  ]);
});

Deno.test("K21: a helper program that fails is reported with its end and its output", async () => {
  await assert.rejects(runTool(["sh", "-c", "echo out; echo why >&2; exit 3"]), {
    message: "Command sh -c echo out; echo why >&2; exit 3 failed with exit status 3: out\nwhy",
  });
  await assert.rejects(runTool(["sh", "-c", "kill -9 $$"]), /failed with signal SIGKILL$/);
  await assert.rejects(runTool(["/missing/tool"]), /^Error: Cannot run \/missing\/tool: /);
  assert.equal(await runTool(["echo", "hi"]), "hi");
});
