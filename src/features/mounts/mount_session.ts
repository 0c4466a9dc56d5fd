/** The mounts of one task, from its start to its end (spec 03 §6.6–§6.8). */

import { dirname, isAbsolute, join, relative } from "node:path";
import { v4 as slugid } from "slugid";
import { unarchive } from "../../archive/mod.ts";
import { decodeFile } from "../../archive/codecs/decode_file.ts";
import { codecNamed } from "../../archive/codecs/mod.ts";
import { errorText } from "../../base/error_text.ts";
import { TaskFailure } from "../../task/errors.ts";
import type { Outcome } from "../../task/outcome.ts";
import type { TaskRun } from "../../task/task_run.ts";
import type { CacheEntry } from "./cache_entry.ts";
import { type Content, describeContent } from "./content.ts";
import { wantedContent } from "./fetch_content.ts";
import type { FileLease } from "./file_cache.ts";
import type { Archive, FileMount, Mount, WritableCache } from "./mount.ts";
import { MountError, type MountLog, mountLog, mountsPrefix } from "./mount_log.ts";
import { obeyPurgeRequests, purgeReason } from "./purge.ts";
import type { WorkerCaches } from "./worker_caches.ts";

interface MountedCache {
  readonly entry: CacheEntry;
  /** Absolute. */
  readonly target: string;
  readonly mount: WritableCache;
}

export class MountSession {
  readonly #task: TaskRun;
  readonly #caches: WorkerCaches;
  readonly #log: MountLog;
  readonly #mounted: MountedCache[] = [];

  constructor(task: TaskRun, caches: WorkerCaches) {
    this.#task = task;
    this.#caches = caches;
    this.#log = mountLog(task.log);
  }

  /**
   * Makes all mounts, one after another. When one fails those before it stay, and `release` has to be called.
   *
   * @throws MountError, or the signal's reason
   */
  async mountAll(mounts: readonly Mount[]): Promise<void> {
    const { signal } = this.#task;
    const mountsCaches = mounts.some(({ kind }) => kind === "cache");
    await obeyPurgeRequests(this.#caches, { log: this.#log, signal, mountsCaches });
    for (const mount of mounts) {
      signal.throwIfAborted();
      await this.#exposeAround(this.#absolute(mount.kind === "file" ? mount.file : mount.directory));
      await this.#mount(mount);
    }
    await this.#caches.journal.expose(this.#mounted.map(({ entry }) => entry.location));
  }

  /** Brings the caches back, the last mounted first (weakness W-40), or deletes them. Goes on after errors. */
  async release(outcome: Outcome): Promise<void> {
    const reason = purgeReason(this.#task);
    if (reason !== undefined) this.#log.info(reason);
    for (const cache of this.#mounted.splice(0).reverse()) {
      try {
        await this.#release(cache, { purge: reason !== undefined });
      } catch (error) {
        outcome.add(error);
      }
    }
    await this.#caches.save();
  }

  async #mount(mount: Mount): Promise<void> {
    switch (mount.kind) {
      case "cache":
        return await this.#mountCache(mount);
      case "directory":
        return await this.#fill(this.#absolute(mount.directory), mount.archive);
      case "file":
        return await this.#mountFile(mount);
    }
  }

  async #mountCache(mount: WritableCache): Promise<void> {
    const { pool } = this.#caches;
    const { cacheName } = mount;
    const target = this.#absolute(mount.directory);
    await this.#requireVacant(mount, target);
    const existing = pool.acquire(cacheName);
    if (existing) await this.#mountExisting(existing, target);
    else await this.#mountNew(mount, target);
    this.#log.info(`Successfully mounted writable directory cache '${target}'`);
  }

  /** The same rule whether there is a cache of that name already or not (weakness W-39). */
  async #requireVacant({ cacheName }: WritableCache, target: string): Promise<void> {
    const taken = this.#caches.journal.entries.some((entry) => entry.target === target);
    if (!taken && await this.#caches.tree.isVacant(target)) return;
    throw new MountError(
      `not able to mount writable directory cache ${cacheName} at ${target}: there is something already. ` +
        "Use a directory that does not exist or is empty, and mount what belongs inside the cache after it",
    );
  }

  async #mountExisting(entry: CacheEntry, target: string): Promise<void> {
    const { tree, journal } = this.#caches;
    const { key: cacheName, location } = entry;
    const parent = dirname(target);
    this.#log.info(`Moving existing writable directory cache ${cacheName} from ${location} to ${target}`);
    try {
      await this.#makeDirectory(parent);
      await journal.add({ cacheName, location, target, pristine: true });
      await tree.move(this.#caches.absolute(location), target).catch((error) => {
        throw new MountError(`not able to move directory ${location} to ${target}: ${errorText(error)}`);
      });
    } catch (error) {
      await this.#abandon(entry, target);
      throw error;
    }
    this.#mounted.push({ entry, target, mount: { kind: "cache", cacheName, directory: target } });
  }

  /** A cache whose mounting failed is as good as before, if it is still where it was (weakness W-39). */
  async #abandon(entry: CacheEntry, target: string): Promise<void> {
    const { pool, tree, journal } = this.#caches;
    if (!pool.isCondemned(entry) && await tree.exists(this.#caches.absolute(entry.location))) {
      pool.giveBack(entry);
      await journal.remove(entry.location);
    } else await this.#caches.evict(entry, { log: this.#log, target });
  }

  async #mountNew(mount: WritableCache, target: string): Promise<void> {
    const { pool, journal } = this.#caches;
    const { cacheName, preload } = mount;
    const entry = pool.create(cacheName);
    const { location } = entry;
    this.#log.info(`No existing writable directory cache '${cacheName}' - creating ${location}`);
    try {
      // Known to the table before it is known to the task, so that it is not a stray when it comes back.
      await this.#caches.saveDirectories();
      await journal.add({ cacheName, location, target, pristine: false });
      if (preload) await this.#fill(target, preload);
      else await this.#makeDirectory(target);
    } catch (error) {
      await this.#caches.evict(entry, { log: this.#log, target });
      throw error;
    }
    this.#mounted.push({ entry, target, mount });
  }

  /** Fills a directory from an archive; what it holds already is merged with. */
  async #fill(directory: string, { content, format }: Archive): Promise<void> {
    const lease = await this.#obtain(content);
    try {
      await this.#makeDirectory(directory);
      await this.#extract(lease, { directory, format });
    } finally {
      await lease.release();
    }
  }

  async #extract(
    lease: FileLease,
    { directory, format }: { directory: string; format: string },
  ): Promise<void> {
    const { signal, workerLog, context } = this.#task;
    const { tree } = this.#caches;
    const copy = join(context.directory, slugid());
    try {
      this.#log.info(`Copying file '${lease.location}' to '${copy}'`);
      await tree.lend(lease.path, copy);
      const text = `Extracting ${format} file ${copy} to '${directory}'`;
      this.#log.info(text);
      workerLog.info(text);
      await unarchive({ source: copy, destination: directory, format, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new MountError(
        `cannot unarchive ${copy} to ${directory} as task user: ${errorText(error)}`,
        { cause: error },
      );
    } finally {
      this.#log.info(`Removing file '${copy}'`);
      await Deno.remove(copy).catch(() => {});
    }
  }

  async #mountFile(mount: FileMount): Promise<void> {
    const file = this.#absolute(mount.file);
    const facts = await Deno.stat(file).catch(() => undefined);
    if (facts?.isDirectory) {
      throw new MountError(`cannot mount file at path ${file} since it already exists as a directory`);
    }
    const lease = await this.#obtain(mount.content);
    try {
      await this.#makeDirectory(dirname(file));
      if (mount.format === undefined) await this.#copy(lease, { mount, file });
      else await this.#decompress(lease, { format: mount.format, file });
    } finally {
      await lease.release();
    }
  }

  async #copy(lease: FileLease, { mount, file }: { mount: FileMount; file: string }): Promise<void> {
    this.#log.info(`Copying ${lease.location} to ${file}`);
    try {
      await this.#caches.tree.copyFile(lease.path, file);
    } catch (error) {
      this.#log.error(`not able to mount content from ${describeContent(mount.content)} at path ${file}`);
      throw new MountError(`not able to create ${file} as task user: ${errorText(error)}`, { cause: error });
    }
  }

  async #decompress(lease: FileLease, { format, file }: { format: string; file: string }): Promise<void> {
    const { signal, workerLog } = this.#task;
    const codec = codecNamed(format);
    if (!codec) {
      throw new MountError(
        `unsupported or unrecognized decompression format ${format}: this version of the worker does not know it`,
      );
    }
    const text = `Decompressing ${format} file ${lease.location} to '${file}'`;
    this.#log.info(text);
    workerLog.info(text);
    try {
      await this.#caches.tree.writeFile(file, decodeFile(lease.path, { codec, signal }));
    } catch (error) {
      signal.throwIfAborted();
      throw new MountError(`not able to decompress ${lease.location} to ${file}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  async #obtain(content: Content): Promise<FileLease> {
    return await this.#caches.files.obtain(
      await wantedContent(content, { task: this.#task, log: this.#log }),
    );
  }

  async #makeDirectory(directory: string): Promise<void> {
    this.#log.info(`Creating directory ${directory}`);
    try {
      await this.#caches.tree.makeDirectory(directory);
    } catch (error) {
      throw new MountError(`not able to create directory ${directory}: ${errorText(error)}`, {
        cause: error,
      });
    }
  }

  async #release({ entry, target, mount }: MountedCache, { purge }: { purge: boolean }): Promise<void> {
    const { pool } = this.#caches;
    if (purge) return await this.#caches.evict(entry, { log: this.#log, target });
    if (pool.isCondemned(entry)) {
      this.#task.workerLog.info(`Evicting cache ${entry.key} that was marked for purge while in use`);
      return await this.#caches.evict(entry, { target });
    }
    this.#log.info(`Preserving cache: Moving "${target}" to "${entry.location}"`);
    try {
      await this.#bringBack(entry, target);
    } catch (error) {
      await this.#caches.evict(entry, { log: this.#log, target });
      const source = mount.preload ? describeContent(mount.preload.content) : "<nil>";
      this.#log.error(`Could not unmount ${source} due to: '${errorText(error)}'`);
      throw new TaskFailure(
        `${mountsPrefix}could not persist cache "${entry.key}" due to ${errorText(error)}`,
      );
    }
  }

  async #bringBack(entry: CacheEntry, target: string): Promise<void> {
    const { pool, tree, journal } = this.#caches;
    const location = this.#caches.absolute(entry.location);
    await tree.requireDirectory(target);
    await tree.remove(location).catch((error) => {
      this.#log.warn(`Could not remove stale cache dir "${entry.location}": ${errorText(error)}`);
    });
    await tree.move(target, location);
    pool.release(entry);
    await this.#caches.saveDirectories();
    await journal.remove(entry.location);
  }

  /** What is mounted inside a cache changes it, before any command does. */
  async #exposeAround(target: string): Promise<void> {
    const around = this.#mounted.filter((cache) => isInside(target, cache.target));
    await this.#caches.journal.expose(around.map(({ entry }) => entry.location));
  }

  #absolute(path: string): string {
    return isAbsolute(path) ? join(path) : join(this.#task.context.directory, path);
  }
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way === "" || (way !== ".." && !way.startsWith("../") && !isAbsolute(way));
}
