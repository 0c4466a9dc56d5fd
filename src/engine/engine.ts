/** Whose account runs a task, and who touches the task's files. */

import type { FileFacts, Identity, Platform } from "../platform/platform.ts";

export type { FileFacts, FileKind } from "../platform/platform.ts";

export type EngineName = "insecure" | "multiuser";

/** A file of the task, open for reading. */
export interface TaskFile {
  readonly facts: FileFacts;
  /** Reads into `buffer` from the current position; number of bytes, 0 at the end. */
  read(buffer: Uint8Array): Promise<number>;
  /** Moves the position to `offsetBytes` from the start, to send the file once more. */
  seek(offsetBytes: number): Promise<void>;
  close(): void;
}

/** A problem with one file, in words for the task's log. */
export class TaskFileError extends Error {
  override name = "TaskFileError";
  readonly code: "missing" | "not-readable" | "invalid";

  constructor(code: "missing" | "not-readable" | "invalid", message: string) {
    super(message);
    this.code = code;
  }
}

/** Everything done inside the task directory goes through this: in process, or a helper running as the task user. */
export interface TaskFiles {
  /** Facts without following a final symlink. @throws TaskFileError */
  lstat(path: string): Promise<FileFacts>;
  /**
   * Opens for reading, following symlinks. Never blocks on a FIFO: a directory, device, FIFO or socket opens and
   * says so in `facts`, but can't be read. @throws TaskFileError
   */
  open(path: string): Promise<TaskFile>;
  /** Names in a directory in lexical (byte) order, without following a final symlink. @throws TaskFileError */
  list(path: string): Promise<string[]>;
}

/** What one run of one task gets from the engine. */
export interface TaskContext {
  /** Absolute path of the task directory. */
  readonly directory: string;
  /** Accounts of the task's processes; absent: the worker's own. */
  readonly identity?: Identity;
  readonly files: TaskFiles;
  /** The environment below the payload's `env` (spec 02 §4.5, "base"). */
  baseEnvironment(): Record<string, string>;
  /** Removes the directory and whatever else belongs to the context. */
  dispose(): Promise<void>;
}

export interface EngineOptions {
  readonly platform: Platform;
  /** Absolute. */
  readonly tasksDirectory: string;
  /** The worker's own environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Engine {
  readonly name: EngineName;
  /** May the worker halt the machine without sudo? */
  readonly privileged: boolean;
  /** Makes the directory (and, on multiuser, the account) of one run. */
  createContext(run: { directoryName: string }): Promise<TaskContext>;
}

/** What `#engine` exports. */
export type CreateEngine = (options: EngineOptions) => Engine;
