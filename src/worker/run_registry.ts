/** Which task directories on this machine are this worker's: it removes these and no others (weakness K23). */

import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Platform } from "../platform/platform.ts";
import type { RunOwnership } from "../task/run_task.ts";

/** The name of the note in a run's private directory: the path of its task directory. */
const noteName = "task-directory";

/** How long runs that end are gathered for one purge. */
const purgePauseMs = 1_000;

export interface RunRegistryOptions {
  /** Absolute; holds one private directory per run. */
  readonly directory: string;
  readonly platform: Platform;
  readonly log: WorkerLog;
  readonly clock: Clock;
  /** False keeps everything for people to look at (setting `cleanUpTaskDirs`). */
  readonly cleanUp: boolean;
}

export class RunRegistry implements RunOwnership {
  readonly #options: RunRegistryOptions;
  #purging: Promise<void> = Promise.resolve();
  #awaited = false;

  constructor(options: RunRegistryOptions) {
    this.#options = options;
  }

  async begin({ name, taskDirectory }: { name: string; taskDirectory: string }): Promise<string> {
    const directory = join(this.#options.directory, name);
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(join(directory, noteName), taskDirectory, { mode: 0o600 });
    return directory;
  }

  /**
   * Removes the directories of all runs but those in `running`, and ends what is left of their processes. One purge
   * at a time; failures are logged, and what could not be removed is tried again next time.
   */
  purge(running: () => ReadonlySet<string>): Promise<void> {
    this.#purging = this.#purging.then(() => this.#purge(running()));
    return this.#purging;
  }

  /**
   * A purge in a moment, unless `signal` aborts first: runs that end in quick succession are swept up together, since
   * each purge looks at every process of the machine. Never rejects.
   */
  async purgeSoon(running: () => ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    if (this.#awaited) return;
    this.#awaited = true;
    await this.#options.clock.sleep(purgePauseMs, signal);
    this.#awaited = false;
    if (!signal.aborted) await this.purge(running);
  }

  async #purge(running: ReadonlySet<string>): Promise<void> {
    try {
      await this.#purgeEnded(running);
    } catch (error) {
      this.#options.log.warn(`Could not remove old task directories: ${errorText(error)}`);
    }
  }

  async #purgeEnded(running: ReadonlySet<string>): Promise<void> {
    const { directory, log, cleanUp } = this.#options;
    const ended = (await names(directory)).filter((name) => !running.has(name));
    if (ended.length === 0) return;
    if (!cleanUp) {
      return log.warn(`Not removing ${ended.length} old task directories, since cleanUpTaskDirs is false`);
    }
    const runs = await Promise.all(ended.map((name) => this.#endedRun(join(directory, name))));
    await this.#endProcesses(runs);
    for (const run of runs) await this.#remove(run);
  }

  async #endedRun(privateDirectory: string): Promise<EndedRun> {
    const taskDirectory = await readNote(privateDirectory);
    return { privateDirectory, ...(taskDirectory === undefined ? {} : { taskDirectory }) };
  }

  /** What is left of a run's processes goes first (weakness K42): they would live on in a removed directory. */
  async #endProcesses(runs: readonly EndedRun[]): Promise<void> {
    const marks = runs.flatMap(({ taskDirectory }) => taskDirectory ? [{ TASK_WORKDIR: taskDirectory }] : []);
    const gone = await this.#options.platform.killMarked(marks, { graceMs: 0 });
    if (!gone) this.#options.log.warn("Some processes of ended tasks could not be killed");
  }

  async #remove({ privateDirectory, taskDirectory }: EndedRun): Promise<void> {
    const { platform, log } = this.#options;
    try {
      if (taskDirectory !== undefined) await platform.removeTree(taskDirectory);
      await platform.removeTree(privateDirectory);
    } catch (error) {
      log.warn(`Could not remove what ${privateDirectory} belongs to: ${errorText(error)}`);
    }
  }
}

interface EndedRun {
  readonly privateDirectory: string;
  readonly taskDirectory?: string;
}

async function names(directory: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.filter((entry) => entry.isDirectory).map((entry) => entry.name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Undefined when the worker was killed before it could write the note, hence before the directory was made. */
async function readNote(privateDirectory: string): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(join(privateDirectory, noteName));
    return text === "" ? undefined : text;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
