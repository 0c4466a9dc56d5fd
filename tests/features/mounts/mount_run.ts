/** Runs the mounts feature for one task after another on the same worker, and reads what it says. */

import { join } from "node:path";
import { mounts } from "../../../src/features/mounts/mod.ts";
import type { Undo } from "../../../src/task/feature.ts";
import { Outcome } from "../../../src/task/outcome.ts";
import { withDefaults } from "../../../src/task/payload.ts";
import type { CommandResult, TaskRun } from "../../../src/task/task_run.ts";
import { TaskLog } from "../../../src/log/task_log.ts";
import { v4 as slugid } from "slugid";

type Entry = Readonly<Record<string, unknown>>;

/** A task whose mounts are in place. */
export interface MountedTask {
  readonly task: TaskRun;
  /** Absolute path of something in the task directory. */
  at(name: string): string;
  /** Ends it, as if its last command had ended like this; absent: no command ran. Gives its log. */
  end(result?: CommandResult): Promise<string>;
  /** What the mounts have written into the log so far, without timestamps and prefixes. */
  log(): string;
  /** What went wrong. */
  readonly problem: { name: string; message: string } | undefined;
}

export interface MountTaskOptions {
  readonly purgeCaches?: readonly number[];
  readonly dependencies?: readonly string[];
}

/** Starts the feature for a fresh task beside `first`, on the same worker and with the same rights. */
export async function mountTask(
  first: TaskRun,
  entries: readonly Entry[],
  options: MountTaskOptions = {},
): Promise<MountedTask> {
  const { worker } = first;
  const name = `task_${slugid()}`;
  const context = await worker.engine.createContext({ directoryName: name });
  const privateDirectory = await Deno.makeTempDir({ dir: worker.directory });
  const outcome = new Outcome();
  const commandResults: CommandResult[] = [];
  const path = join(privateDirectory, "log");
  const log = new TaskLog({ path });
  const { purgeCaches = [], dependencies = [] } = options;
  const task: TaskRun = {
    ...first,
    context,
    privateDirectory,
    log,
    outcome,
    commandResults,
    signal: first.signal,
    definition: { ...first.definition, dependencies },
    payload: withDefaults({ mounts: entries, onExitStatus: { retry: [], purgeCaches } }),
  };
  let undo: Undo | void;
  try {
    undo = await mounts.start(task);
  } catch (error) {
    outcome.add(error);
  }
  return {
    task,
    at: (file) => join(context.directory, file),
    log: () => plain(Deno.readTextFileSync(path), context.directory),
    get problem() {
      return outcome.first;
    },
    async end(result) {
      if (result) commandResults.push(result);
      try {
        await undo?.(outcome);
      } catch (error) {
        outcome.add(error);
      }
      log.close();
      return plain(Deno.readTextFileSync(path), context.directory);
    },
  };
}

/** Messages without time; slugs as `<slug>`, the task directory as `<task>`, `warn ` and `error ` in front. */
function plain(log: string, taskDirectory: string): string {
  return log
    .replaceAll(/^\[taskcluster:(warn|error)[^\]]*\] \[mounts\] /gm, "$1 ")
    .replaceAll(/^\[taskcluster [^\]]*\] \[mounts\] /gm, "")
    .replaceAll(taskDirectory, "<task>")
    .replaceAll(/(caches|downloads|<task>)\/[A-Za-z0-9_-]{22}\b/g, "$1/<slug>")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "<sha>");
}
