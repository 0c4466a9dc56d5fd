/** Removes what a task left behind, whatever its size, depth and permissions. */

import type { RunTool } from "./run_tool.ts";

/** Up to here a tree is removed in process; beyond, a program of the system does it beside the worker's own work. */
const entriesInProcess = 200;
const depthInProcess = 16;

class TooLarge extends Error {}

/**
 * Removes a tree; a missing one is fine. Symlinks are removed, never followed.
 *
 * @throws Error saying what could not be removed
 */
export async function removeTree(path: string, run: RunTool): Promise<void> {
  try {
    removeSmall(path, { left: entriesInProcess, depth: 0 });
  } catch {
    await removeLarge(path, run);
  }
}

function removeSmall(path: string, budget: { left: number; depth: number }): void {
  if (budget.left-- <= 0 || budget.depth > depthInProcess) throw new TooLarge();
  const facts = lstat(path);
  if (facts === undefined) return;
  if (facts.isDirectory && !facts.isSymlink) {
    budget.depth++;
    for (const { name } of Deno.readDirSync(path)) removeSmall(`${path}/${name}`, budget);
    budget.depth--;
  }
  Deno.removeSync(path);
}

/** `rm` keeps its memory flat, goes to any depth, and opens each directory relative to the one before. */
async function removeLarge(path: string, run: RunTool): Promise<void> {
  const remove = ["/bin/rm", "-rf", "--", path];
  try {
    await run(remove);
  } catch {
    // `chmod` would follow a link it is given, and needs not be asked about anything but directories.
    if (lstat(path)?.isDirectory) {
      await run(["/bin/chmod", "-R", "u+rwX", "--", path]).catch(() => "");
    }
    // Again also because a process that was still ending may have written into it the first time.
    await run(remove);
  }
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
