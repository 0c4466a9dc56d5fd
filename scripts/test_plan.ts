/** Which test files there are, and on what each of them runs. */

import { join, relative, sep } from "node:path";
import { filesBelow } from "./file_tree.ts";

/** Folders of tests that meet the compiled binary instead of modules. */
const binaryFolders = ["tests/worker", "tests/cli", "tests/interop"];

/** Folders whose outcome does not depend on the Deno version that runs them. */
const onceFolders = ["tests/project"];

/** Kinds of test file: on every Deno version; on one; on one with the compiled binary at hand. */
export type TestKind = "fast" | "once" | "binary";

export interface TestFile {
  /** Relative to the checkout, with slashes. */
  readonly path: string;
  readonly kind: TestKind;
}

/** All test files of a checkout whose path contains one of the words, or all when there are none; sorted. */
export async function findTestFiles(root: string, words: readonly string[] = []): Promise<TestFile[]> {
  return (await filesBelow(join(root, "tests")))
    .map((path) => relative(root, path).split(sep).join("/"))
    .filter((path) => path.endsWith("_test.ts"))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()
    .map((path) => ({ path, kind: kindOf(path) }));
}

function kindOf(path: string): TestKind {
  const within = (folder: string) => path.startsWith(`${folder}/`);
  if (binaryFolders.some(within)) return "binary";
  return onceFolders.some(within) ? "once" : "fast";
}
