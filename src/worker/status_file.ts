/** `worker-status.json`: which tasks run now, for the `status` command and for scripts (spec 01 §2.3, §4). */

import { join } from "node:path";
import { writeFileAtomically } from "../base/atomic_file.ts";
import { errorText } from "../base/error_text.ts";
import { stableJson } from "../base/stable_json.ts";
import type { WorkerLog } from "../log/worker_log.ts";

/** Keeps the file in step; the newest state wins, and a file that can't be written is only a warning. */
export class StatusFile {
  readonly #path: string;
  readonly #log: WorkerLog;
  #wanted: readonly string[] = [];
  #writing: Promise<void> | undefined;
  #complained = false;

  constructor(temporaryDirectory: string, log: WorkerLog) {
    this.#path = join(temporaryDirectory, "worker-status.json");
    this.#log = log;
  }

  /** Notes the running tasks; with none the file goes away. Returns once the file says so. */
  update(currentTaskIds: readonly string[]): Promise<void> {
    this.#wanted = currentTaskIds;
    this.#writing ??= this.#write().finally(() => this.#writing = undefined);
    return this.#writing;
  }

  async #write(): Promise<void> {
    let written: readonly string[] | undefined;
    while (written !== this.#wanted) {
      written = this.#wanted;
      try {
        await this.#put(written);
      } catch (error) {
        this.#complain(error);
      }
    }
  }

  async #put(currentTaskIds: readonly string[]): Promise<void> {
    if (currentTaskIds.length > 0) {
      const text = stableJson({ currentTaskIds }) + "\n";
      return await writeFileAtomically(this.#path, text, { mode: 0o644, durable: false });
    }
    await Deno.remove(this.#path).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #complain(error: unknown): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#log.warn(`Could not update ${this.#path}: ${errorText(error)}`);
  }
}
