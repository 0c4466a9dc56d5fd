/**
 * Which caches are mounted where, on disk, so that the next worker can tell what a killed one left (weakness W-61).
 *
 * A file of its own: the existing worker refuses state files with members it does not know.
 */

import { join } from "node:path";
import type { WorkerLog } from "../../log/worker_log.ts";
import { StateFile } from "./state_file.ts";

/** A writable cache that is, or is about to be, at `target` instead of at its location. */
export interface JournalEntry {
  readonly cacheName: string;
  readonly location: string;
  /** Absolute. */
  readonly target: string;
  /** Its content is what the last task left: nothing has written into it since. */
  readonly pristine: boolean;
}

export class MountJournal {
  readonly #file: StateFile<JournalEntry[]>;
  #entries: JournalEntry[] = [];

  constructor({ directory, log }: { directory: string; log: WorkerLog }) {
    this.#file = new StateFile({
      path: join(directory, "mounted-caches.json"),
      log,
      parse: parseJournal,
      render: () => JSON.stringify({ mounts: this.#entries }, null, 2) + "\n",
    });
  }

  /** What the last worker had mounted when it ended. */
  async load(): Promise<readonly JournalEntry[]> {
    this.#entries = await this.#file.load() ?? [];
    return this.#entries;
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  async add(entry: JournalEntry): Promise<void> {
    this.#entries = [...this.#entries, entry];
    await this.#file.save();
  }

  /** Notes that something may write into these caches from now on. */
  async expose(locations: readonly string[]): Promise<void> {
    const concerned = (entry: JournalEntry) => entry.pristine && locations.includes(entry.location);
    if (!this.#entries.some(concerned)) return;
    this.#entries = this.#entries.map((entry) => concerned(entry) ? { ...entry, pristine: false } : entry);
    await this.#file.save();
  }

  async remove(location: string): Promise<void> {
    this.#entries = this.#entries.filter((entry) => entry.location !== location);
    await this.#file.save();
  }
}

function parseJournal(text: string): JournalEntry[] {
  const { mounts } = JSON.parse(text) as { mounts?: unknown };
  if (!Array.isArray(mounts)) throw new Error("it holds no list of mounts");
  return mounts.flatMap((value: Partial<JournalEntry>) => {
    const { cacheName, location, target, pristine } = value;
    if (typeof cacheName !== "string" || typeof location !== "string" || typeof target !== "string") {
      return [];
    }
    return [{ cacheName, location, target, pristine: pristine === true }];
  });
}
