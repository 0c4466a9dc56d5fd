/** Making files below one directory, where no name and no other process can lead a write outside of it. */

import type { RawPath } from "../base/raw_path.ts";

/** A point in time as file systems keep it. */
export interface FileTime {
  /** Whole seconds since the epoch, rounded down. */
  readonly seconds: number;
  /** 0 to 999 999 999. */
  readonly nanoseconds: number;
}

/** A file being written, from its start. */
export interface SafeFile {
  /** Writes at the current position. @throws SafeTreeError */
  write(bytes: Uint8Array): void;
  /** Leaves a hole of that many bytes. */
  skip(sizeBytes: number): void;
  /** Ends the file at the current position. Call it once, after a failure too. @throws SafeTreeError */
  close(modified?: FileTime): void;
}

/**
 * A directory and everything below it. All paths are relative to it and clean: no empty component, no `.`, no `..`;
 * the empty path is the directory itself. Missing parents are made with mode 0755. Symbolic links among the parents
 * are followed when they stay inside, seen from the moment of use; any other is refused. The process's umask applies
 * to every mode.
 */
export interface SafeTree {
  /** Makes a directory. One that exists is fine; its mode is set only if it was made as a missing parent. */
  makeDirectory(path: RawPath, options: { mode: number }): void;
  /**
   * Makes a file or truncates an existing one. One with other names, or of a special kind, is replaced instead, so
   * that nothing is written through it; a symbolic link or a directory in its place is an error.
   */
  createFile(path: RawPath, options: { mode: number }): SafeFile;
  /** Makes a symbolic link with any target text. An existing entry is an error. */
  makeSymbolicLink(path: RawPath, target: RawPath): void;
  /** Gives the entry `target` of the tree another name. An existing entry at `path` is an error. */
  makeHardLink(path: RawPath, target: RawPath): void;
  /** Sets when an entry was last modified, of a symbolic link itself rather than where it leads. */
  setModified(path: RawPath, time: FileTime): void;
  /** Releases what the tree holds open. */
  close(): void;
}

/** Opens an existing directory as a tree. The directory itself may be reached through symbolic links. */
export type OpenSafeTree = (directory: string) => SafeTree;

/** Why something could not be made. */
export type SafeTreeProblem = "outside" | "link-in-place" | "exists" | "not-a-directory" | "system";

/** An entry could not be made; the message is the reason alone, without the path. */
export class SafeTreeError extends Error {
  override name = "SafeTreeError";
  readonly problem: SafeTreeProblem;

  constructor(problem: SafeTreeProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
