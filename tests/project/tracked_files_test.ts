/** The repository names nothing that exists on one machine or in one network only. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { runProgram } from "../../scripts/run_program.ts";
import { root } from "./tree.ts";

/** Spelled in pieces, as this file is searched too. */
const forbidden: readonly string[] = [
  ["/wo", "rk/"],
  ["/tmp/", "spike"],
  ["registry.", "npmjs"],
  ["pypi", ".org"],
  ["crates", ".io"],
  ["proxy.", "golang"],
  ["deb.", "debian"],
].map((parts) => parts.join(""));

Deno.test("tracked files name no machine path and no registry host", async () => {
  const names = (await runProgram(["git", "ls-files"], { cwd: root })).split("\n");
  assert.ok(names.includes("deno.json"));
  const found = names.flatMap((name) => {
    const text = textIfThere(join(root, name));
    return forbidden.filter((word) => text.includes(word)).map((word) => `${name}: ${word}`);
  });
  assert.deepEqual(found, []);
});

/** A tracked file may be gone from the disk while somebody moves it. */
function textIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
