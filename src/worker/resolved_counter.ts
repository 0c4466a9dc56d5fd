/** How many tasks this worker has resolved, kept across restarts (spec 01 §4, §6.4). */

import { join } from "node:path";
import { writeFileAtomically } from "../base/atomic_file.ts";
import { errorText } from "../base/error_text.ts";
import type { WorkerLog } from "../log/worker_log.ts";

export class ResolvedCounter {
  readonly path: string;
  readonly #log: WorkerLog;
  #count = 0;

  constructor(directory: string, log: WorkerLog) {
    this.path = join(directory, "tasks-resolved-count.txt");
    this.#log = log;
  }

  /** Reads the file; a missing or garbled one counts as 0. */
  async load(): Promise<void> {
    try {
      const text = (await Deno.readTextFile(this.path)).trim();
      if (!/^\d{1,15}$/.test(text)) {
        throw new Error(`it holds ${JSON.stringify(text.slice(0, 40))}, not a number`);
      }
      this.#count = Number(text);
    } catch (error) {
      this.#log.info(`Counting resolved tasks from 0, since ${this.path} can't be read: ${errorText(error)}`);
    }
  }

  get count(): number {
    return this.#count;
  }

  /** Counts one more. Stored at once, so that a killed worker loses nothing (weakness K15). */
  async increment(): Promise<void> {
    this.#count++;
    await this.save();
  }

  async save(): Promise<void> {
    try {
      await writeFileAtomically(this.path, String(this.#count), { durable: false });
    } catch (error) {
      this.#log.error(`Could not write ${this.path}: ${errorText(error)}`);
    }
  }
}
