/** Purges caches: because somebody asked for it, or because a task may have spoilt them (spec 03 §6.11, §6.12). */

import { errorText } from "../../base/error_text.ts";
import type { TaskRun } from "../../task/task_run.ts";
import type { MountLog } from "./mount_log.ts";
import type { WorkerCaches } from "./worker_caches.ts";

/**
 * Asks for purge requests if it is time, and does what they say: available caches go at once, those in use when
 * they come back.
 *
 * @throws the signal's reason
 */
export async function obeyPurgeRequests(
  caches: WorkerCaches,
  options: { log: MountLog; signal: AbortSignal; mountsCaches: boolean },
): Promise<void> {
  const { log, signal } = options;
  if (!caches.purges.isDue(options)) return;
  try {
    for (const purge of await caches.purges.ask(signal)) {
      const entries = caches.pool.table.get(purge.cacheName) ?? [];
      for (const entry of caches.purges.concerned(purge, entries)) {
        if (entry.inUse) {
          log.info(`Marking in-use cache ${entry.key} for deferred purge`);
          caches.pool.condemn(entry);
        } else await caches.evict(entry, { log, because: " (purge request)" });
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    log.warn("Could not reach purgecache service to see if caches need purging:");
    log.warn(errorText(error));
  }
}

/** Why the caches of this task must not be kept; undefined when they may. */
export function purgeReason(task: Pick<TaskRun, "commandResults" | "payload">): string | undefined {
  const last = task.commandResults.at(-1);
  if (last === undefined) return undefined;
  if (last.aborted) {
    return "Purging caches since the task was aborted and may have left them in an inconsistent state";
  }
  const { exitCode } = last;
  if (exitCode === undefined || !task.payload.onExitStatus.purgeCaches.includes(exitCode)) return undefined;
  return `Purging caches since last command had exit code ${exitCode} which is listed in ` +
    "task.Payload.OnExitStatus.PurgeCaches array";
}
