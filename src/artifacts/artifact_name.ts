/** Names of payload artifacts (spec 03 §2.1). */

import { posix, sep } from "node:path";

/** A path as an artifact name: `/` between its parts; on posix the path itself. */
export function canonicalName(path: string): string {
  return path.replaceAll(sep, "/");
}

/** Name of a file found in a directory artifact: entry name and relative path, joined and cleaned. */
export function nameInDirectory(entryName: string, relativePath: string): string {
  return posix.join(canonicalName(entryName), canonicalName(relativePath));
}

/** The queue takes printable ASCII only, and at least one character of it (weakness W-10). */
export function isPublishableName(name: string): boolean {
  return /^[\x20-\x7e]+$/.test(name);
}
