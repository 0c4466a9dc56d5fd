/** The tables of files and directories in the form of the state files (spec 03 §6.9), and back. */

import { type CacheEntry, entryFromJson, entryToJson } from "./cache_entry.ts";

/** Downloaded files by cache key. */
export type FileTable = ReadonlyMap<string, CacheEntry>;
/** Writable directories by cache name. */
export type DirectoryTable = ReadonlyMap<string, readonly CacheEntry[]>;

/** Reads `file-caches.json`. @throws Error when it is no JSON object */
export function parseFileTable(text: string): Map<string, CacheEntry> {
  const table = new Map<string, CacheEntry>();
  for (const [key, value] of members(text)) {
    const entry = entryFromJson(key, value);
    if (entry) table.set(key, entry);
  }
  return table;
}

/** Reads `directory-caches.json`, also in its older form with one entry a name. @throws Error when it is no JSON object */
export function parseDirectoryTable(text: string): Map<string, CacheEntry[]> {
  const table = new Map<string, CacheEntry[]>();
  for (const [name, value] of members(text)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    const entries = values.flatMap((each) => entryFromJson(name, each) ?? []);
    if (entries.length > 0) table.set(name, entries);
  }
  return table;
}

/** The text of `file-caches.json`. */
export function renderFileTable(table: FileTable): string {
  return render(sorted(table).map(([key, entry]) => [key, entryToJson(entry)]));
}

/** The text of `directory-caches.json`. */
export function renderDirectoryTable(table: DirectoryTable): string {
  return render(sorted(table).map(([name, entries]) => [name, entries.map(entryToJson)]));
}

function members(text: string): [string, unknown][] {
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new Error("it holds no JSON object");
}

function sorted<T>(table: ReadonlyMap<string, T>): [string, T][] {
  return [...table].sort(([a], [b]) => a < b ? -1 : Number(a > b));
}

/** By hand on the outer level, where names that look like numbers would otherwise come first. */
function render(entries: readonly (readonly [string, unknown])[]): string {
  if (entries.length === 0) return "{}\n";
  const lines = entries.map(([key, value]) =>
    `  ${JSON.stringify(key)}: ${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")}`
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}
