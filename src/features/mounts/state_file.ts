/** A state file: loaded once, saved as a whole, never half written, and set aside when it makes no sense. */

import { writeFileAtomically } from "../../base/atomic_file.ts";
import { errorText } from "../../base/error_text.ts";
import type { WorkerLog } from "../../log/worker_log.ts";

export interface StateFileOptions<T> {
  /** Absolute. */
  readonly path: string;
  readonly log: WorkerLog;
  /** The state in a file's text. @throws when it makes no sense */
  readonly parse: (text: string) => T;
  /** The text for the state as it is now. */
  readonly render: () => string;
}

export class StateFile<T> {
  readonly #options: StateFileOptions<T>;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: StateFileOptions<T>) {
    this.#options = options;
  }

  /**
   * The state in the file; undefined when there is none. A file that can't be understood is renamed, so that the
   * worker starts all the same (weakness W-32).
   */
  async load(): Promise<T | undefined> {
    const { path, parse, log } = this.#options;
    const text = await readText(path);
    if (text === undefined) return undefined;
    try {
      return parse(text);
    } catch (error) {
      const aside = `${path}.unreadable-${new Date().toISOString().replaceAll(":", "")}`;
      await Deno.rename(path, aside);
      log.error(`Could not read ${path}: ${errorText(error)}. Kept as ${aside}; starting without it`);
      return undefined;
    }
  }

  /**
   * Writes the state as it is when its turn comes; calls meanwhile share one write. Settles when what was true at
   * the time of the call is on disk.
   */
  save(): Promise<void> {
    this.#next ??= this.#writing.catch(() => {}).then(() => {
      this.#next = undefined;
      return this.#writing = this.#write();
    });
    return this.#next;
  }

  async #write(): Promise<void> {
    const { path, render } = this.#options;
    try {
      await writeFileAtomically(path, render());
    } catch (error) {
      throw new Error(`Could not save ${path}: ${errorText(error)}`, { cause: error });
    }
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
