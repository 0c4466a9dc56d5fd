/** Downloaded content: one file per content, known by keys, verified at each use (spec 03 §6.4). */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { v4 as slugid } from "slugid";
import { errorText } from "../../base/error_text.ts";
import { type CacheEntry, newEntry, timeText } from "./cache_entry.ts";
import { MountError, type MountLog } from "./mount_log.ts";
import { SharedFetch } from "./shared_fetch.ts";
import type { FileTable } from "./tables.ts";

export interface FileCacheOptions {
  /** As configured: locations of new files start with it. */
  readonly downloadsDir: string;
  /** The absolute path of a location. */
  readonly absolute: (location: string) => string;
  readonly nowMs: () => number;
  /** Writes the table to disk. */
  readonly save: () => Promise<void>;
  /** Removes a file; never throws. */
  readonly discard: (path: string) => Promise<unknown>;
}

/** Content that a task wants as a file. */
export interface WantedContent {
  readonly key: string;
  /** How messages call it. */
  readonly source: string;
  /** The hash it must have. */
  readonly sha256?: string;
  readonly log: MountLog;
  readonly signal: AbortSignal;
  /** Writes it to `path`; `shown` is what messages call that file. */
  fetch(into: { path: string; shown: string; signal: AbortSignal }): Promise<{ sha256: string }>;
}

/** A file that stays as it is until `release`. */
export interface FileLease {
  /** As in the table and in messages. */
  readonly location: string;
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
  /** Calling it again does nothing. */
  release(): Promise<void>;
}

export class FileCache {
  readonly #options: FileCacheOptions;
  readonly #table = new Map<string, CacheEntry>();
  readonly #leases = new Map<string, number>();
  readonly #fetching = new Map<string, SharedFetch<CacheEntry>>();

  constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  get table(): FileTable {
    return this.#table;
  }

  /** Takes entries from a state file. */
  adopt(entries: FileTable): void {
    for (const [key, entry] of entries) this.#table.set(key, entry);
  }

  /**
   * The content as a file, downloaded unless it is there and has the right hash.
   *
   * @throws MountError when it can't be had or has another hash; the signal's reason
   */
  async obtain(wanted: WantedContent): Promise<FileLease> {
    let rejected = "";
    while (true) {
      wanted.signal.throwIfAborted();
      const entry = this.#table.get(wanted.key);
      const lease = entry ? await this.#existing(entry, wanted) : await this.#fetched(wanted, rejected);
      if (lease) return lease;
      rejected = entry?.location ?? "";
    }
  }

  /** Forgets an entry; its file goes as soon as no other entry and no task uses it. */
  async evict(entry: CacheEntry, log?: MountLog): Promise<void> {
    if (this.#table.get(entry.key) !== entry) return;
    log?.info(`Removing cache ${entry.key} from cache table`);
    this.#table.delete(entry.key);
    await this.#options.save();
    log?.info(`Deleting cache ${entry.key} file(s) at ${entry.location}`);
    await this.#discardUnused(entry.location);
  }

  /** A lease on what is there; undefined when it is of no use and has been forgotten. */
  async #existing(entry: CacheEntry, wanted: WantedContent): Promise<FileLease | undefined> {
    const { key, log, sha256: required } = wanted;
    const { location } = entry;
    const release = this.#hold(location);
    try {
      const sha256 = await hashFile(this.#options.absolute(location), wanted.signal);
      const problem = existingProblem(entry, { sha256, required });
      if (problem === undefined) {
        if (required === undefined) {
          log.warn(
            `No SHA256 specified in task mounts for ${key} - SHA256 from downloaded file ${location} is ${sha256}.`,
          );
        } else log.info(`Found existing download for ${key} (${location}) with correct SHA256 ${sha256}`);
        entry.hits++;
        return { location, path: this.#options.absolute(location), sha256, release };
      }
      log.info(problem);
      await this.evict(entry, log);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        await release();
        throw error;
      }
      log.info(`Cache entry for ${key} vanished mid-read (likely concurrent eviction); retrying download`);
      await this.evict(entry);
    }
    await release();
    return undefined;
  }

  /** A lease on newly downloaded content; undefined when somebody has evicted it in that moment. */
  async #fetched(wanted: WantedContent, rejected: string): Promise<FileLease | undefined> {
    const { key, source, log, signal, sha256: required } = wanted;
    const entry = await this.#fetch(wanted).join(signal).catch((error) => {
      signal.throwIfAborted();
      log.error(`Could not fetch from ${source} into file ${rejected} due to ${errorText(error)}`);
      throw new MountError(`Could not fetch from ${source}: ${errorText(error)}`, { cause: error });
    });
    if (this.#table.get(key) !== entry) return undefined;
    const { location, sha256 } = entry;
    const release = this.#hold(location);
    if (required === undefined) {
      log.warn(
        `Download ${location} of ${source} has SHA256 ${sha256} but task payload does not declare a required ` +
          "value, so content authenticity cannot be verified",
      );
    } else if (required === sha256) {
      log.info(`Content from ${source} (${location}) matches required SHA256 ${sha256}`);
    } else {
      await release();
      await this.evict(entry, log);
      throw new MountError(
        `Download ${location} of ${source} has SHA256 ${sha256} but task definition explicitly requires ` +
          `${required}; not retrying download as there were no connection failures and HTTP response status ` +
          "code was 200",
      );
    }
    return { location, path: this.#options.absolute(location), sha256, release };
  }

  /** The download of a key that is under way, or a new one. */
  #fetch(wanted: WantedContent): SharedFetch<CacheEntry> {
    const { key, log, source } = wanted;
    const running = this.#fetching.get(key);
    if (running && !running.abandoned) {
      log.info(`Waiting for the download of ${source} that another task has begun`);
      return running;
    }
    const fetch = new SharedFetch((signal) => this.#download(wanted, signal), () => {
      if (this.#fetching.get(key) === fetch) this.#fetching.delete(key);
    });
    this.#fetching.set(key, fetch);
    return fetch;
  }

  async #download(wanted: WantedContent, signal: AbortSignal): Promise<CacheEntry> {
    const { absolute, downloadsDir } = this.#options;
    const location = join(downloadsDir, slugid());
    const part = `${absolute(location)}.part`;
    try {
      const { sha256 } = await wanted.fetch({ path: part, shown: location, signal });
      return await this.#record(wanted.key, { part, location, sha256 });
    } catch (error) {
      await this.#options.discard(part);
      throw error;
    }
  }

  /** The same content under two keys is one file: the new copy takes the place of the old, which may be damaged. */
  async #record(key: string, file: { part: string; location: string; sha256: string }): Promise<CacheEntry> {
    const { absolute, nowMs, save } = this.#options;
    const { part, sha256 } = file;
    const twin = this.#table.values().find((other) => other.sha256 === sha256);
    const location = twin?.location ?? file.location;
    const entry = newEntry({ key, location, sha256, nowMs: nowMs() });
    entry.inUse = this.#leases.has(location);
    await Deno.rename(part, absolute(location));
    this.#table.set(key, entry);
    await save();
    return entry;
  }

  /** Marks a file as in use; gives what ends that. */
  #hold(location: string): () => Promise<void> {
    this.#leases.set(location, (this.#leases.get(location) ?? 0) + 1);
    this.#mark(location, { inUse: true });
    let held = true;
    return async () => {
      if (!held) return;
      held = false;
      await this.#letGo(location);
    };
  }

  async #letGo(location: string): Promise<void> {
    const left = (this.#leases.get(location) ?? 1) - 1;
    if (left > 0) return void this.#leases.set(location, left);
    this.#leases.delete(location);
    this.#mark(location, { inUse: false, lastUsed: timeText(this.#options.nowMs()) });
    await this.#discardUnused(location);
  }

  #mark(location: string, change: Partial<Pick<CacheEntry, "inUse" | "lastUsed">>): void {
    for (const entry of this.#at(location)) Object.assign(entry, change);
  }

  #at(location: string): CacheEntry[] {
    return [...this.#table.values()].filter((entry) => entry.location === location);
  }

  async #discardUnused(location: string): Promise<void> {
    if (this.#leases.has(location) || this.#at(location).length > 0) return;
    await this.#options.discard(this.#options.absolute(location));
  }
}

/** Why a file that is there can't be used; undefined when it can. */
function existingProblem(
  { key, location, sha256: recorded }: CacheEntry,
  { sha256, required }: { sha256: string; required: string | undefined },
): string | undefined {
  if (required !== undefined) {
    return sha256 === required ? undefined : `Found existing download of ${key} (${location}) with SHA256 ` +
      `${sha256} but task definition explicitly requires ${required} so deleting it`;
  }
  if (recorded === "" || recorded === sha256) return undefined;
  return `Found existing download of ${key} (${location}) with SHA256 ${sha256}, which was ${recorded} when it was ` +
    "downloaded, so deleting it";
}

const readBytes = 1 << 20;

async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(readBytes);
  while (true) {
    signal.throwIfAborted();
    const count = await file.read(buffer);
    if (count === null) return hash.digest("hex");
    hash.update(buffer.subarray(0, count));
  }
}
