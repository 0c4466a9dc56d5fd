/** What to do with caches that were mounted when the last worker was killed (weakness W-61). */

import { errorText } from "../../base/error_text.ts";
import type { WorkerLog } from "../../log/worker_log.ts";
import type { JournalEntry, MountJournal } from "./journal.ts";
import type { TaskTree } from "./task_tree.ts";

export interface RecoveryOptions {
  readonly tree: TaskTree;
  readonly log: WorkerLog;
  /** The absolute path of a location. */
  readonly absolute: (location: string) => string;
}

/**
 * Brings caches that no command can have touched back to their locations, and deletes the others, wherever they lie.
 * To be called before the tables are loaded. The last mounted goes first: it may lie inside another.
 */
export async function recoverMounts(journal: MountJournal, options: RecoveryOptions): Promise<void> {
  for (const entry of [...await journal.load()].reverse()) {
    try {
      await recover(entry, options);
    } catch (error) {
      // It stays in the journal, and the next start tries again.
      options.log.error(`Could not clear up ${describe(entry)}: ${errorText(error)}`);
      continue;
    }
    await journal.remove(entry.location);
  }
}

async function recover(entry: JournalEntry, { tree, log, absolute }: RecoveryOptions): Promise<void> {
  const location = absolute(entry.location);
  // What is at its location is whole: caches come and go there in one step.
  if (await tree.exists(location)) {
    log.info(`Found ${describe(entry)} back at ${entry.location}`);
    return await tree.remove(entry.target);
  }
  if (entry.pristine && await tree.exists(entry.target)) {
    log.info(`Moving ${describe(entry)} back to ${entry.location}: no command has run in it`);
    return await tree.move(entry.target, location);
  }
  log.info(`Deleting ${describe(entry)}: the task that used it did not come to its end`);
  await tree.remove(entry.target);
}

function describe({ cacheName, target }: JournalEntry): string {
  return `cache ${cacheName}, mounted at ${target} when the worker ended`;
}
