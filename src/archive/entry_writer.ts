/** Puts entries of an archive into the destination by the rules of spec 03 §8, whatever the archive's format. */

import { displayRawPath, type RawPath } from "../base/raw_path.ts";
import type { FileTime, SafeFile, SafeTree } from "../platform/safe_tree.ts";
import { type ArchivePlace, Damage } from "./archive_error.ts";
import { cleanPath, parentPath } from "./entry_path.ts";

/** What every format knows of an entry. */
export interface Entry {
  readonly name: RawPath;
  /** Permission bits; others are ignored. */
  readonly mode: number;
  readonly modified?: FileTime;
  /** Where the entry starts in the archive. */
  readonly offsetBytes: number;
}

/** What was written so far. */
export interface Written {
  readonly entries: number;
  /** Content of files, holes included. */
  readonly bytes: number;
}

const permissions = 0o777;

/** Writes entries one after another and remembers which one it is at. */
export class EntryWriter {
  readonly #tree: SafeTree;
  /** Whether entries get the archived modification time. */
  readonly times: boolean;
  /** Directories get their times last: what is made in them would change them again. */
  readonly #directoryTimes: { path: RawPath; time: FileTime }[] = [];
  /** The entry being written, or the last one. */
  #entry: Entry | undefined;
  /** Where the reader is, when it is not in an entry. */
  #betweenBytes: number | undefined = 0;
  #entries = 0;
  #bytes = 0;

  constructor(tree: SafeTree, options: { times: boolean }) {
    this.#tree = tree;
    this.times = options.times;
  }

  get written(): Written {
    return { entries: this.#entries, bytes: this.#bytes };
  }

  /** Where the archive is being read. */
  get place(): ArchivePlace {
    const name = this.#entry && displayRawPath(this.#entry.name);
    if (this.#betweenBytes === undefined && this.#entry && name !== undefined) {
      return { entry: name, offsetBytes: this.#entry.offsetBytes };
    }
    return { ...(name !== undefined && { after: name }), offsetBytes: this.#betweenBytes ?? 0 };
  }

  /** Says that the reader is between two entries. */
  between(offsetBytes: number): void {
    this.#betweenBytes = offsetBytes;
  }

  /** Says which entry is being read before it can be made, so that a failure names it. */
  begin(entry: Entry): void {
    this.#entry = entry;
    this.#betweenBytes = undefined;
  }

  /** Begins a directory and makes it; its owner can always enter and fill it. */
  directory(entry: Entry): void {
    this.begin(entry);
    const path = this.#pathOf(entry);
    this.#entries++;
    this.#tree.makeDirectory(path, { mode: (entry.mode & permissions) | 0o700 });
    if (this.times && entry.modified) this.#directoryTimes.push({ path, time: entry.modified });
  }

  /** Begins a regular file. The caller writes and closes it. */
  file(entry: Entry): SafeFile {
    this.begin(entry);
    const path = this.#fileName(entry);
    this.#entries++;
    return this.#tree.createFile(path, { mode: entry.mode & permissions });
  }

  /** Counts content written to a file. */
  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** When to tell a file it was modified; undefined when times are not wanted. */
  timeOf(entry: Entry): FileTime | undefined {
    return this.times ? entry.modified : undefined;
  }

  /** Begins and ends a file whose whole content is `bytes`. */
  wholeFile(entry: Entry, bytes: Uint8Array): void {
    const file = this.file(entry);
    try {
      if (bytes.length > 0) file.write(bytes);
    } finally {
      file.close(this.timeOf(entry));
    }
    this.#bytes += bytes.length;
  }

  /**
   * Begins and makes a symbolic link. A relative target must lie in the destination, as text. An absolute one is
   * taken as it is, for archives of whole systems are full of them: the tree never writes through it (weakness K33).
   */
  symbolicLink(entry: Entry, target: RawPath): void {
    this.begin(entry);
    const path = this.#fileName(entry);
    const lands = target.startsWith("/") ? "" : cleanPath(target, parentPath(path));
    if (lands === undefined || target.includes("\0")) {
      throw new Damage(`illegal symlink target in archive: ${arrow(entry.name, target)}`);
    }
    this.#entries++;
    this.#tree.makeSymbolicLink(path, target);
    if (this.times && entry.modified) this.#tree.setModified(path, entry.modified);
  }

  /** Begins and makes a hard link; its target is relative to the destination. */
  hardLink(entry: Entry, target: RawPath): void {
    this.begin(entry);
    const path = this.#fileName(entry);
    const from = cleanPath(target);
    if (from === undefined || from === "") {
      throw new Damage(`illegal hardlink target in archive: ${arrow(entry.name, target)}`);
    }
    this.#entries++;
    this.#tree.makeHardLink(path, from);
  }

  /** Call it after the last entry. */
  finish(): void {
    for (let at = this.#directoryTimes.length - 1; at >= 0; at--) {
      const directory = this.#directoryTimes[at];
      if (directory) this.#tree.setModified(directory.path, directory.time);
    }
  }

  #pathOf(entry: Entry): RawPath {
    const path = cleanPath(entry.name);
    if (path === undefined) throw illegalPath(entry.name);
    return path;
  }

  #fileName(entry: Entry): RawPath {
    const path = this.#pathOf(entry);
    if (path === "") throw illegalPath(entry.name);
    return path;
  }
}

function illegalPath(name: RawPath): Damage {
  return new Damage(`illegal file path in archive: ${displayRawPath(name)}`);
}

function arrow(name: RawPath, target: RawPath): string {
  return `${displayRawPath(name)} -> ${displayRawPath(target)}`;
}
