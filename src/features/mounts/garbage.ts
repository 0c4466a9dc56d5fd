/** Which caches to give up, and in which order (spec 03 §6.10, §6.13): inventory in, removals out. */

import { type CacheEntry, timeOf } from "./cache_entry.ts";
import type { DirectoryTable, FileTable } from "./tables.ts";

export interface Inventory {
  readonly files: FileTable;
  readonly directories: DirectoryTable;
}

/** Something to remove. Several keys may share one downloaded file, which then goes with all of them. */
export interface Removal {
  readonly kind: "file" | "directory";
  readonly location: string;
  readonly entries: readonly CacheEntry[];
}

/**
 * All that could go to make room, in the order in which it should: files before directories, which are expensive to
 * build again, and in each the least recently used first. Nothing that is in use.
 */
export function removalsForSpace({ files, directories }: Inventory): Removal[] {
  return [
    ...byAge(fileRemovals(files)),
    ...byAge([...directories.values()].flat().filter((entry) => !entry.inUse).map(directoryRemoval)),
  ];
}

/** Available directories beyond `capacity` of one name, the least recently used first. */
export function surplusDirectories(directories: DirectoryTable, capacity: number): Removal[] {
  return [...directories.values()].flatMap((entries) => {
    const available = entries.filter((entry) => !entry.inUse);
    return byAge(available.map(directoryRemoval)).slice(0, Math.max(0, available.length - capacity));
  });
}

function fileRemovals(files: FileTable): Removal[] {
  const byLocation = Map.groupBy(files.values(), (entry) => entry.location);
  return [...byLocation]
    .filter(([, entries]) => entries.every((entry) => !entry.inUse))
    .map(([location, entries]) => ({ kind: "file", location, entries }));
}

function directoryRemoval(entry: CacheEntry): Removal {
  return { kind: "directory", location: entry.location, entries: [entry] };
}

function byAge(removals: readonly Removal[]): Removal[] {
  return removals
    .map((removal) => ({
      removal,
      lastUsedMs: Math.max(...removal.entries.map((entry) => timeOf(entry.lastUsed))),
    }))
    .sort((a, b) => a.lastUsedMs === b.lastUsedMs ? 0 : a.lastUsedMs < b.lastUsedMs ? -1 : 1)
    .map(({ removal }) => removal);
}
