/** Room kept on the disk, so that the last lines of a log can be written even when the task has filled it. */

import { join } from "node:path";
import { errorText } from "../../base/error_text.ts";
import type { TaskRun } from "../../task/task_run.ts";

/** Enough for the lines that say what went wrong. */
const reservedBytes = 16 * 1024;

/** Takes the room. A disk that is full already is no reason to fail here. Gives a function that hands it back. */
export function reserveRoom(task: TaskRun): () => void {
  const path = join(task.privateDirectory, "reserve");
  try {
    Deno.writeFileSync(path, new Uint8Array(reservedBytes), { mode: 0o600 });
  } catch (error) {
    task.workerLog.warn(`Could not keep room for the last lines of the log: ${errorText(error)}`);
  }
  return () => {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) task.workerLog.warn(errorText(error));
    }
  };
}
