/** Caches, directories and files that a task finds in place when its commands start (spec 03 §6). */

import { TaskException, TaskFailure } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import { notEnabled } from "../../task/not_enabled.ts";
import { Outcome } from "../../task/outcome.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { cacheScopes, type Mount, readMounts, requireDependencies } from "./mount.ts";
import { MountError, mountsPrefix } from "./mount_log.ts";
import { MountSession } from "./mount_session.ts";
import { reclaimDiskSpace } from "./reclaim.ts";
import { cachesOf } from "./worker_caches.ts";

const name = "Mounts/Caches";

/** A task without mounts has nothing to do with it, so a pool that has it switched off runs those (weakness W-30). */
export const mounts: Feature = {
  name,
  requested: (task) => task.payload.mounts.length > 0,
  disabled: ({ config }) => config.enableMounts ? undefined : notEnabled(name, config),
  requiredScopes: (task) => [cacheScopes(readMounts(task.payload.mounts))],
  async start(task) {
    const wanted = readMounts(task.payload.mounts);
    requireDependencies(wanted, task.definition.dependencies);
    const caches = cachesOf(task.worker);
    await caches.load();
    const session = new MountSession(task, caches);
    await mountAll(session, { task, wanted });
    return (outcome) => session.release(outcome);
  },
  prepareWorker: (worker) => cachesOf(worker).load(),
  async reclaimDiskSpace(worker, need) {
    const caches = cachesOf(worker);
    await caches.load();
    await reclaimDiskSpace(caches, { worker, need });
  },
};

/** A feature that fails to start is not undone, so what was mounted before the failure goes back here. */
async function mountAll(
  session: MountSession,
  { task, wanted }: { task: TaskRun; wanted: readonly Mount[] },
): Promise<void> {
  try {
    await session.mountAll(wanted);
  } catch (error) {
    // What goes wrong now comes second, and is in the log already.
    await session.release(new Outcome());
    throw problemOf(error, task);
  }
}

function problemOf(error: unknown, task: TaskRun): unknown {
  if (task.abortCause) return task.abortCause;
  if (error instanceof TaskException || error instanceof TaskFailure) return error;
  if (error instanceof MountError) {
    return new TaskFailure(`${mountsPrefix}${error.message}`, { cause: error });
  }
  return error;
}
