/** Files of a task that runs with the worker's own account: opened by the worker itself. */

import { type OpenedFile, type Platform, type ReadableFile, SystemError } from "../platform/platform.ts";
import { type FileFacts, type TaskFile, TaskFileError, type TaskFiles } from "./engine.ts";

/** The task's files as the worker's account sees them. */
export function createInProcessFiles(platform: Platform): TaskFiles {
  return {
    lstat: (path) => attempt("access", () => platform.lookAt(path)),
    open: (path) => attempt("open", () => new InProcessFile(path, platform.openFile(path))),
    // A name that is not UTF-8 leads to no file, so it turns up as a missing one and stops nobody.
    list: (path) => attempt("open", () => platform.listDirectory(path).map(({ name }) => name)),
  };
}

class InProcessFile implements TaskFile {
  readonly facts: FileFacts;
  readonly #path: string;
  readonly #file: ReadableFile | undefined;
  #offsetBytes = 0;

  constructor(path: string, { facts, file }: OpenedFile) {
    this.#path = path;
    this.facts = facts;
    this.#file = file;
  }

  async read(buffer: Uint8Array): Promise<number> {
    const file = this.#file;
    if (!file) throw new TaskFileError("invalid", `Cannot read ${this.#path}: it is not a regular file`);
    const count = await attempt("read", () => file.readAt(buffer, this.#offsetBytes));
    this.#offsetBytes += count;
    return count;
  }

  seek(offsetBytes: number): Promise<void> {
    this.#offsetBytes = offsetBytes;
    return Promise.resolve();
  }

  close(): void {
    this.#file?.close();
  }
}

async function attempt<T>(verb: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new TaskFileError(codes[error.code] ?? "invalid", `Cannot ${verb} ${error.message}`);
  }
}

const codes: Readonly<Record<string, TaskFileError["code"]>> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  EACCES: "not-readable",
  EPERM: "not-readable",
  EIO: "not-readable",
};
