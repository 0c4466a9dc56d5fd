/** One cache as the state files have it (spec 03 §6.9): the format of the existing worker, read kindly. */

/** A downloaded file or a writable directory. Times are RFC 3339 texts, as they were read. */
export interface CacheEntry {
  /** Cache key or cache name. */
  readonly key: string;
  /** Path of the file or directory; a relative one starts from the worker's directory. */
  location: string;
  readonly created: string;
  /** 1 at first, one more at every further use. */
  hits: number;
  /** Hash of a file's content as it was downloaded, hexadecimal; empty for directories. */
  sha256: string;
  inUse: boolean;
  /** When it was last released; `neverUsed` before that. */
  lastUsed: string;
}

/** The time of what has never been used. */
export const neverUsed = "0001-01-01T00:00:00Z";

/** An entry that has just been made and is in use. */
export function newEntry(
  entry: { key: string; location: string; nowMs: number; sha256?: string },
): CacheEntry {
  const { key, location, nowMs, sha256 = "" } = entry;
  return { key, location, created: timeText(nowMs), hits: 1, sha256, inUse: true, lastUsed: neverUsed };
}

/** A time in the form of the state files. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Milliseconds since the epoch; the distant past for `neverUsed` and for what is no time. */
export function timeOf(text: string): number {
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? -Infinity : timeMs;
}

/**
 * An entry from a state file; undefined when it has no location. Missing members get defaults, unknown ones are
 * left out (weakness W-32), and nothing is in use any more.
 */
export function entryFromJson(key: string, value: unknown): CacheEntry | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { location, created, hits, sha256, last_used } = value as Readonly<Record<string, unknown>>;
  if (typeof location !== "string" || location === "") return undefined;
  return {
    key,
    location,
    created: typeof created === "string" ? created : neverUsed,
    hits: typeof hits === "number" ? hits : 1,
    sha256: typeof sha256 === "string" ? sha256 : "",
    inUse: false,
    lastUsed: typeof last_used === "string" ? last_used : neverUsed,
  };
}

/** The form of the state files, members in the order of the existing worker. */
export function entryToJson(entry: CacheEntry): Readonly<Record<string, unknown>> {
  const { created, location, hits, key, sha256, inUse, lastUsed } = entry;
  return { created, location, hits, key, sha256, in_use: inUse, last_used: lastUsed };
}
