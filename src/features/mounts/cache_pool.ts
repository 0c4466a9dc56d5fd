/** Writable directories by name: several of one name where tasks run at once, each used by one at a time (spec 03 §6.10). */

import { join } from "node:path";
import { v4 as slugid } from "slugid";
import { type CacheEntry, newEntry, timeOf, timeText } from "./cache_entry.ts";
import type { DirectoryTable } from "./tables.ts";

export interface CachePoolOptions {
  /** As configured: locations of new directories start with it. */
  readonly cachesDir: string;
  readonly nowMs: () => number;
}

export class CachePool {
  readonly #options: CachePoolOptions;
  readonly #table = new Map<string, CacheEntry[]>();
  readonly #condemned = new WeakSet<CacheEntry>();

  constructor(options: CachePoolOptions) {
    this.#options = options;
  }

  get table(): DirectoryTable {
    return this.#table;
  }

  /** Takes entries from a state file. */
  adopt(entries: DirectoryTable): void {
    for (const [name, directories] of entries) this.#table.set(name, [...directories]);
  }

  /** The available directory of that name that was used last; undefined when there is none. */
  acquire(name: string): CacheEntry | undefined {
    const available = (this.#table.get(name) ?? []).filter((entry) => !entry.inUse);
    if (available.length === 0) return undefined;
    const newest = available.reduce((a, b) => timeOf(b.lastUsed) > timeOf(a.lastUsed) ? b : a);
    newest.inUse = true;
    newest.hits++;
    return newest;
  }

  /** A new entry, in use; nothing is made on disk. */
  create(name: string): CacheEntry {
    const { cachesDir, nowMs } = this.#options;
    const entry = newEntry({ key: name, location: join(cachesDir, slugid()), nowMs: nowMs() });
    this.#table.set(name, [...this.#table.get(name) ?? [], entry]);
    return entry;
  }

  /** Puts an entry back that was not used after all. */
  giveBack(entry: CacheEntry): void {
    entry.inUse = false;
    entry.hits--;
  }

  /** Makes an entry available for the next task. */
  release(entry: CacheEntry): void {
    entry.inUse = false;
    entry.lastUsed = timeText(this.#options.nowMs());
  }

  /** Forgets an entry; what lies at its location is the caller's business. */
  remove(entry: CacheEntry): void {
    const left = (this.#table.get(entry.key) ?? []).filter((other) => other !== entry);
    if (left.length > 0) this.#table.set(entry.key, left);
    else this.#table.delete(entry.key);
  }

  /** Sees to it that an entry in use does not come back. */
  condemn(entry: CacheEntry): void {
    this.#condemned.add(entry);
  }

  isCondemned(entry: CacheEntry): boolean {
    return this.#condemned.has(entry);
  }
}
