/** All caches of one worker: the tables, their state files, and what was mounted when the last worker ended. */

import { isAbsolute, join, relative } from "node:path";
import { errorText } from "../../base/error_text.ts";
import type { WorkerContext } from "../../task/worker_context.ts";
import type { CacheEntry } from "./cache_entry.ts";
import { CachePool } from "./cache_pool.ts";
import { FileCache } from "./file_cache.ts";
import type { Removal } from "./garbage.ts";
import { MountJournal } from "./journal.ts";
import type { MountLog } from "./mount_log.ts";
import { PurgePoll } from "./purge_poll.ts";
import { recoverMounts } from "./recovery.ts";
import { StateFile } from "./state_file.ts";
import { removeStrays } from "./strays.ts";
import { TaskTree } from "./task_tree.ts";
import { parseDirectoryTable, parseFileTable, renderDirectoryTable, renderFileTable } from "./tables.ts";

/** The caches of this worker; the key under which its memory has them. */
export function cachesOf(worker: WorkerContext): WorkerCaches {
  return worker.memory.of(createCaches);
}

function createCaches(worker: WorkerContext): WorkerCaches {
  return new WorkerCaches(worker);
}

export class WorkerCaches {
  readonly files: FileCache;
  readonly pool: CachePool;
  readonly journal: MountJournal;
  readonly purges: PurgePoll;
  readonly tree: TaskTree;
  readonly #worker: WorkerContext;
  readonly #fileTable: StateFile<ReturnType<typeof parseFileTable>>;
  readonly #directoryTable: StateFile<ReturnType<typeof parseDirectoryTable>>;
  /** Absolute paths of what could not be removed, to be tried again. */
  readonly #undead = new Set<string>();
  #loading: Promise<void> | undefined;

  constructor(worker: WorkerContext) {
    const { config, directory, log, clock, platform } = worker;
    const nowMs = () => clock.nowMs();
    this.#worker = worker;
    this.tree = new TaskTree(platform);
    this.journal = new MountJournal({ directory, log });
    this.purges = new PurgePoll(worker);
    this.pool = new CachePool({ cachesDir: config.cachesDir, nowMs });
    this.files = new FileCache({
      downloadsDir: config.downloadsDir,
      absolute: (location) => this.absolute(location),
      nowMs,
      save: () => this.#fileTable.save(),
      discard: (path) => this.discard(path),
    });
    this.#fileTable = new StateFile({
      path: join(directory, "file-caches.json"),
      log,
      parse: parseFileTable,
      render: () => renderFileTable(this.files.table),
    });
    this.#directoryTable = new StateFile({
      path: join(directory, "directory-caches.json"),
      log,
      parse: parseDirectoryTable,
      render: () => renderDirectoryTable(this.pool.table),
    });
  }

  /** Loads everything, once, and mends what a killed worker left. Later calls wait for the first. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** The absolute path of a location in the tables. */
  absolute(location: string): string {
    return isAbsolute(location) ? location : join(this.#worker.directory, location);
  }

  /** Writes both tables. @throws Error when one can't be written */
  async save(): Promise<void> {
    await Promise.all([this.#fileTable.save(), this.#directoryTable.save()]);
  }

  saveDirectories(): Promise<void> {
    return this.#directoryTable.save();
  }

  /**
   * Forgets a directory cache and deletes it, wherever it lies. On disk it is forgotten first: what is left of it
   * after a crash is then a stray, never half a cache (weakness W-36).
   */
  async evict(entry: CacheEntry, options: EvictOptions = {}): Promise<void> {
    const { log, because = "", target } = options;
    log?.info(`Removing cache ${entry.key} from cache table${because}`);
    this.pool.remove(entry);
    await this.saveDirectories();
    log?.info(`Deleting cache ${entry.key} file(s) at ${entry.location}`);
    const gone = await this.discard(this.absolute(entry.location));
    if (!gone) {
      log?.error(`Could not delete cache ${entry.key} at ${entry.location} (it is not used any more)`);
    }
    if (target === undefined) return;
    // Else what lies there would become the next task's new cache (weakness W-41).
    if (await this.discard(target)) await this.journal.remove(entry.location);
    else log?.error(`Could not delete ${target}, where cache ${entry.key} was mounted`);
  }

  /** Removes what garbage collection has chosen, unless it has come into use meanwhile. */
  async remove({ kind, entries }: Removal): Promise<void> {
    if (entries.some((entry) => entry.inUse)) return;
    for (const entry of entries) await (kind === "file" ? this.files.evict(entry) : this.evict(entry));
  }

  /** Removes something; what can't be removed is logged and tried again later (weakness W-35). */
  async discard(path: string): Promise<boolean> {
    try {
      await this.tree.remove(path);
      this.#undead.delete(path);
      return true;
    } catch (error) {
      this.#undead.add(path);
      this.#worker.log.warn(`Could not evict cache at ${path}: ${errorText(error)}`);
      return false;
    }
  }

  /** Tries again to remove what could not be removed. */
  async discardAgain(): Promise<void> {
    for (const path of [...this.#undead]) await this.discard(path);
  }

  async #load(): Promise<void> {
    const { config, log } = this.#worker;
    const directories = [config.cachesDir, config.downloadsDir].map((location) => this.absolute(location));
    for (const directory of directories) await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    await recoverMounts(this.journal, { tree: this.tree, log, absolute: (path) => this.absolute(path) });
    this.files.adopt(await this.#present(await this.#fileTable.load() ?? new Map(), "isFile"));
    await this.#loadDirectories();
    const known = [...this.files.table.values(), ...[...this.pool.table.values()].flat()];
    await removeStrays(directories.filter((directory) => isInside(directory, this.#worker.directory)), {
      known: new Set(known.map(({ location }) => this.absolute(location))),
      remove: (path) => this.discard(path),
      log,
    });
    await this.save();
  }

  async #loadDirectories(): Promise<void> {
    const loaded = await this.#directoryTable.load() ?? new Map<string, CacheEntry[]>();
    const entries = new Map([...loaded.values()].flat().map((entry) => [entry.location, entry]));
    const present = await this.#present(entries, "isDirectory");
    this.pool.adopt(Map.groupBy(present.values(), (entry) => entry.key));
  }

  /** The entries whose file or directory is there. */
  async #present(
    entries: ReadonlyMap<string, CacheEntry>,
    kind: "isFile" | "isDirectory",
  ): Promise<ReadonlyMap<string, CacheEntry>> {
    const present = new Map<string, CacheEntry>();
    for (const [name, entry] of entries) {
      const facts = await Deno.lstat(this.absolute(entry.location)).catch(() => undefined);
      if (facts?.[kind]) present.set(name, entry);
      else {
        this.#worker.log.warn(
          `Cache ${entry.key} at ${entry.location} missing on worker - corrupt internal state, ignoring!`,
        );
      }
    }
    return present;
  }
}

/** How and why a directory cache is evicted. */
export interface EvictOptions {
  /** The log of the task that makes it happen. */
  readonly log?: MountLog;
  /** What follows the first message, as ` (purge request)`. */
  readonly because?: string;
  /** Absolute path of where it is mounted. */
  readonly target?: string;
}

/** A directory elsewhere may hold the caches of other workers too, which no table of this one knows. */
function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}
