/** Which task directories on this machine are this worker's: it removes these and no others (weakness K23). */

import { join } from "node:path";
import { errorText } from "../base/error_text.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Platform } from "../platform/platform.ts";
import type { RunOwnership } from "../task/run_task.ts";

/** The name of the note in a run's private directory: the path of its task directory. */
const noteName = "task-directory";

export interface RunRegistryOptions {
  /** Absolute; holds one private directory per run. */
  readonly directory: string;
  readonly platform: Platform;
  readonly log: WorkerLog;
  /** False keeps everything for people to look at (setting `cleanUpTaskDirs`). */
  readonly cleanUp: boolean;
}

export class RunRegistry implements RunOwnership {
  readonly #options: RunRegistryOptions;
  #purging: Promise<void> = Promise.resolve();

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
   * Removes the directories of all runs but those in `running`. One purge at a time; failures are logged, and
   * what could not be removed is tried again next time.
   */
  purge(running: () => ReadonlySet<string>): Promise<void> {
    this.#purging = this.#purging.then(() => this.#purge(running()));
    return this.#purging;
  }

  async #purge(running: ReadonlySet<string>): Promise<void> {
    const { directory, log, cleanUp } = this.#options;
    const ended = (await names(directory)).filter((name) => !running.has(name));
    if (ended.length === 0) return;
    if (!cleanUp) {
      return log.warn(`Not removing ${ended.length} old task directories, since cleanUpTaskDirs is false`);
    }
    for (const name of ended) await this.#remove(join(directory, name));
  }

  async #remove(privateDirectory: string): Promise<void> {
    const { platform, log } = this.#options;
    try {
      const taskDirectory = await readNote(privateDirectory);
      if (taskDirectory !== undefined) await endAndRemove(platform, taskDirectory);
      await platform.removeTree(privateDirectory);
    } catch (error) {
      log.warn(`Could not remove what ${privateDirectory} belongs to: ${errorText(error)}`);
    }
  }
}

/** What is left of a run's processes goes first (weakness K42): they would live on in a removed directory. */
async function endAndRemove(platform: Platform, taskDirectory: string): Promise<void> {
  await platform.killMarked({ TASK_WORKDIR: taskDirectory }, { graceMs: 0 });
  await platform.removeTree(taskDirectory);
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
