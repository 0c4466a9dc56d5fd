/** A binary depends on the sources and on nothing else. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { compileTarget } from "../../scripts/compile.ts";
import { copyTree } from "../../scripts/file_tree.ts";
import { targets } from "../../scripts/targets.ts";
import { root } from "./tree.ts";

const target = targets.find(({ triple }) => triple === Deno.build.target);
const cacheDirectory = join(root, "build", "toolchain");

Deno.test({
  name: "compileTarget() writes the same bytes from two checkouts at different places and times",
  ignore: target === undefined,
  async fn() {
    assert.ok(target);
    const directory = await Deno.makeTempDir();
    try {
      const binaries: Uint8Array[] = [];
      for (const place of ["first", "second/and/deeper"]) {
        const checkout = join(directory, place);
        await copyCheckout(checkout);
        const out = join(checkout, "dist");
        const path = await compileTarget(target, { root: checkout, out, runtime: "auto", cacheDirectory });
        binaries.push(await Deno.readFile(path));
      }
      const [first, second] = binaries;
      assert.ok(first && second);
      assert.equal(Buffer.compare(first, second), 0);
      assert.equal(Buffer.from(first).includes(directory), false);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "compileTarget() writes a binary that runs alone and knows its version",
  ignore: target === undefined,
  async fn() {
    assert.ok(target);
    const directory = await Deno.makeTempDir();
    try {
      const path = await compileTarget(target, { root, out: directory, runtime: "auto", cacheDirectory });
      const { code, stdout } = await new Deno.Command(path, {
        args: ["--version"],
        cwd: directory,
        clearEnv: true,
      })
        .output();
      const { version } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
      assert.equal(code, 0);
      assert.match(new TextDecoder().decode(stdout), new RegExp(version.replaceAll(".", "\\.")));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

async function copyCheckout(to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for (const name of ["main.ts", "src", "schemas", "deno.json", "deno.lock"]) {
    await copyTree(join(root, name), join(to, name));
  }
}
