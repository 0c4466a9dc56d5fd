/** Finds the file a command's first word names, the way a shell would (spec 02 §4.2). */

import { isAbsolute, join } from "node:path";
import { SpawnError } from "../platform.ts";
import { factsOfPath } from "./file_facts.ts";
import { constants, cString, libc } from "./libc.ts";

const defaultSearchPath = "/usr/local/bin:/usr/bin:/bin";

export interface LookupOptions {
  /** What relative paths, and relative or empty search entries, start from. */
  readonly cwd: string;
  /** As in `PATH`; absent or empty: the usual three directories. */
  readonly searchPath?: string | undefined;
}

/**
 * Path of the program: a word with a slash as it is, any other from the first search directory with an executable
 * file of that name.
 *
 * @throws SpawnError when no directory has one
 */
export function findProgram(word: string, options: LookupOptions): string {
  if (word === "") throw new SpawnError("exec: no command");
  if (word.includes("/")) return word;
  for (const directory of (options.searchPath || defaultSearchPath).split(":")) {
    const candidate = join(isAbsolute(directory) ? "" : options.cwd, directory, word);
    if (isExecutableFile(candidate)) return candidate;
  }
  throw new SpawnError(`exec: ${JSON.stringify(word)}: executable file not found in $PATH`);
}

function isExecutableFile(path: string): boolean {
  if (libc.access(cString(path), constants.X_OK) === -1) return false;
  try {
    return factsOfPath(path, { follow: true }).kind === "file";
  } catch {
    return false;
  }
}
