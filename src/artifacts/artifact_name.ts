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

/** A name is a key in the queue's database, which has room for about 2,700 bytes, and part of URLs. */
const longestName = 2_048;

/** The queue takes printable ASCII only (weakness W-10), at least one character and not too many. */
export function isPublishableName(name: string): boolean {
  return name.length <= longestName && /^[\x20-\x7e]+$/.test(name);
}

/** What is wrong with other names, for people. */
export const publishableNames =
  `names of artifacts consist of 1 to ${longestName} printable ASCII characters`;
