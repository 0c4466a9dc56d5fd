import assert from "node:assert/strict";
import { createPlatform } from "../../../src/platform/linux/mod.ts";
import { removeTree } from "../../../src/platform/linux/remove_tree.ts";
import { runTool } from "../../../src/platform/linux/run_tool.ts";
import { CommandRunner, testEnvironment } from "./run_command.ts";

const platform = createPlatform();

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("removeTree() is content when there is nothing to remove", async () => {
  await platform.removeTree("/tmp/no-such-directory-of-any-task");
});

Deno.test("removeTree() removes files, directories and links, and leaves what the links point to", async () => {
  const outside = await Deno.makeTempDir();
  await Deno.writeTextFile(`${outside}/keep`, "kept");
  const tree = await Deno.makeTempDir();
  await Deno.mkdir(`${tree}/a/b`, { recursive: true });
  await Deno.writeTextFile(`${tree}/a/b/file`, "");
  await Deno.symlink(outside, `${tree}/a/link`);
  await Deno.symlink("nowhere", `${tree}/dangling`);
  await platform.removeTree(tree);
  assert(!exists(tree));
  const link = `${outside}/to-self`;
  await Deno.symlink(outside, link);
  await platform.removeTree(link);
  assert(!exists(link));
  assert.equal(await Deno.readTextFile(`${outside}/keep`), "kept");
  await platform.removeTree(outside);
});

Deno.test("removeTree() removes many files and links to elsewhere", async () => {
  const outside = await Deno.makeTempDir();
  await Deno.writeTextFile(`${outside}/keep`, "kept");
  const tree = await Deno.makeTempDir();
  await Deno.symlink(outside, `${tree}/link`);
  for (let index = 0; index < 3_000; index++) Deno.writeFileSync(`${tree}/${index}`, new Uint8Array());
  await platform.removeTree(tree);
  assert(!exists(tree));
  assert(exists(`${outside}/keep`));
  await platform.removeTree(outside);
});

Deno.test("removeTree() removes a tree deeper than any path can name", async () => {
  await using runner = new CommandRunner();
  const tree = await Deno.makeTempDir();
  const code = "import os\nfor _ in range(5000):\n os.mkdir('deep'); os.chdir('deep')";
  assert.equal((await runner.run(["python3", "-S", "-c", code], tree)).code, 0);
  await platform.removeTree(tree);
  assert(!exists(tree));
});

Deno.test(
  "removeTree() removes what its owner locked, without being root",
  { ignore: Deno.uid() !== 0 },
  async () => {
    const uid = 12_345;
    const base = await Deno.makeTempDir();
    await Deno.chown(base, uid, uid);
    const output = platform.createOutputPipe();
    output.start(() => {});
    const identity = { uid, gid: uid, groups: [] };
    const script =
      "mkdir -p tree/a/b && touch tree/a/b/file && chmod 0 tree/a/b && chmod 500 tree/a && chmod 0 tree";
    const argv = ["sh", "-c", script];
    const locked = await platform.spawn({ argv, cwd: base, env: testEnvironment, identity }).exited;
    assert.equal(locked.code, 0);
    // The tools run as the owner; only the first attempt in process is root's, so it is made to fail.
    const asOwner = (words: readonly string[]) =>
      runTool(["setpriv", "--reuid", `${uid}`, "--regid", `${uid}`, "--clear-groups", "--", ...words]);
    for (let index = 0; index < 300; index++) await Deno.writeTextFile(`${base}/tree/pad${index}`, "");
    await removeTree(`${base}/tree`, asOwner);
    assert(!exists(`${base}/tree`));
    await Deno.remove(base, { recursive: true });
    output.close();
    await platform.idle();
  },
);

Deno.test("K21: removeTree() reports what could not be removed", async () => {
  const tree = await Deno.makeTempDir();
  for (let index = 0; index < 300; index++) await Deno.writeTextFile(`${tree}/${index}`, "");
  const run = () =>
    Promise.reject(new Error("Command rm failed with exit status 1: Operation not permitted"));
  await assert.rejects(removeTree(tree, run), /Operation not permitted/);
  await platform.removeTree(tree);
});

Deno.test("removeTree() lets others vanish beside it", async () => {
  const tree = await Deno.makeTempDir();
  for (let index = 0; index < 2_000; index++) Deno.writeFileSync(`${tree}/${index}`, new Uint8Array());
  await Promise.all([platform.removeTree(tree), platform.removeTree(tree), platform.removeTree(tree)]);
  assert(!exists(tree));
});
