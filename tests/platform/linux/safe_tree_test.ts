import assert from "node:assert/strict";
import { openSafeTree } from "../../../src/platform/linux/safe_tree.ts";
import { type SafeTree, SafeTreeError } from "../../../src/platform/safe_tree.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

function withTree(body: (tree: SafeTree, path: string) => void): void {
  using directory = new TemporaryDirectory();
  const path = directory.at("tree");
  Deno.mkdirSync(path);
  const tree = openSafeTree(path);
  try {
    body(tree, path);
  } finally {
    tree.close();
  }
}

function write(tree: SafeTree, path: string): void {
  const file = tree.createFile(path, { mode: 0o644 });
  file.write(new TextEncoder().encode(path));
  file.close();
}

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test("SafeTree works in more directories than it holds open, back and forth, and closes them all", () => {
  const before = openDescriptors();
  withTree((tree, path) => {
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 600; index++) write(tree, `d${index}/e/f${round}`);
    }
    assert.ok(openDescriptors() - before < 300);
    for (const [index, round] of [[0, 0], [299, 1], [599, 0]]) {
      assert.equal(Deno.readTextFileSync(`${path}/d${index}/e/f${round}`), `d${index}/e/f${round}`);
    }
  });
  assert.equal(openDescriptors(), before);
});

Deno.test("SafeTree makes hard links between directories deeper than it holds open", () => {
  withTree((tree) => {
    const deep = (name: string) => Array.from({ length: 400 }, () => name).join("/");
    write(tree, `${deep("a")}/f`);
    tree.makeHardLink(`${deep("b")}/g`, `${deep("a")}/f`);
    tree.makeHardLink("h", `${deep("b")}/g`);
  });
});

Deno.test("SafeTree refuses names that are none of its own", () => {
  withTree((tree) => {
    for (const path of ["..", "a/..", ".", "a/.", "", "../x", "a\0b"]) {
      assert.throws(() => tree.createFile(path, { mode: 0o644 }), SafeTreeError, JSON.stringify(path));
      assert.throws(() => tree.makeSymbolicLink(path, "x"), SafeTreeError, JSON.stringify(path));
      assert.throws(() => tree.makeHardLink("h", path), SafeTreeError, JSON.stringify(path));
    }
    assert.throws(() => write(tree, "n".repeat(5000)), /file name too long/i);
    assert.throws(() => write(tree, "n".repeat(300)), /file name too long/i);
  });
});

Deno.test("SafeTree says why: no directory in the way, a directory in a file's place, nothing there", () => {
  withTree((tree) => {
    write(tree, "f");
    assert.throws(() => write(tree, "f/g"), { problem: "not-a-directory" });
    tree.makeDirectory("d", { mode: 0o755 });
    assert.throws(() => write(tree, "d"), /is a directory/);
    assert.throws(() => tree.makeSymbolicLink("f", "x"), { problem: "exists" });
    assert.throws(() => tree.makeHardLink("h", "missing"), /no such file or directory/);
  });
});

Deno.test({
  name: "SafeTree reports a full disk, once for the write and not again for the close",
  ignore: Deno.uid() !== 0,
  fn() {
    withTree((tree, path) => {
      Deno.mkdirSync(`${path}/small`);
      const mount = (...args: string[]) =>
        new Deno.Command(args[0] ?? "", { args: args.slice(1) }).outputSync();
      assert.ok(mount("mount", "-t", "tmpfs", "-o", "size=64k", "none", `${path}/small`).success);
      try {
        const file = tree.createFile("small/f", { mode: 0o644 });
        assert.throws(
          () => file.write(new Uint8Array(1_000_000)),
          /^SafeTreeError: no space left on device$/,
        );
        file.close();
      } finally {
        mount("umount", "-l", `${path}/small`);
      }
    });
  },
});

Deno.test("SafeTree keeps writing into a directory that was replaced by a link after it was opened", () => {
  withTree((tree, path) => {
    write(tree, "d/one");
    Deno.renameSync(`${path}/d`, `${path}/moved`);
    Deno.mkdirSync(`${path}/../outside`);
    Deno.symlinkSync("../outside", `${path}/d`);
    write(tree, "d/two");
    assert.deepEqual([...Deno.readDirSync(`${path}/../outside`)], []);
    assert.equal(Deno.readTextFileSync(`${path}/moved/two`), "d/two");
  });
});

Deno.test("openSafeTree() fails with the system's words on what is no directory", () => {
  assert.throws(() => openSafeTree("/nowhere/at/all"), /^SafeTreeError: no such file or directory$/);
  assert.throws(() => openSafeTree("/etc/passwd"), /^SafeTreeError: not a directory$/);
});
