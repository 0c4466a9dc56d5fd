/** Removes from the cache directories what no table knows (weakness W-33): leftovers of a worker that was killed. */

import { join } from "node:path";
import type { WorkerLog } from "../../log/worker_log.ts";

/** Names that workers give: others may keep things of their own here. */
const ourName = /^\.?[A-Za-z0-9_-]{22}(\.part|\.old)?$/;

export interface StrayOptions {
  /** Absolute paths that tables know. */
  readonly known: ReadonlySet<string>;
  /** Removes one; never throws. */
  readonly remove: (path: string) => Promise<unknown>;
  readonly log: WorkerLog;
}

/** Goes through the directories (absolute paths; they exist). */
export async function removeStrays(directories: readonly string[], options: StrayOptions): Promise<void> {
  for (const directory of new Set(directories)) {
    for (const { name } of await Array.fromAsync(Deno.readDir(directory))) {
      const path = join(directory, name);
      if (!ourName.test(name) || options.known.has(path)) continue;
      options.log.info(`Removing ${path}, which no cache table knows`);
      await options.remove(path);
    }
  }
}
