/** Files of a task that runs with the worker's own account: opened by the worker itself. */

import { errorText } from "../base/error_text.ts";
import { type OpenedFile, type Platform, SystemError } from "../platform/platform.ts";
import { type FileFacts, type FileKind, type TaskFile, TaskFileError, type TaskFiles } from "./engine.ts";

/** The task's files as the worker's account sees them. */
export function createInProcessFiles(platform: Platform): TaskFiles {
  return {
    lstat: (path) => attempt(path, async () => factsOf(await Deno.lstat(path))),
    open: (path) => attempt(path, () => new InProcessFile(path, platform.openFile(path))),
    // A name that is not UTF-8 leads to no file, so it turns up as a missing one and stops nobody.
    list: (path) => attempt(path, () => platform.listDirectory(path).map(({ name }) => name)),
  };
}

class InProcessFile implements TaskFile {
  readonly facts: FileFacts;
  readonly #path: string;
  readonly #file: Deno.FsFile | undefined;
  #closed = false;

  constructor(path: string, { facts, file }: OpenedFile) {
    this.#path = path;
    this.facts = factsOf(facts);
    this.#file = file;
  }

  read(buffer: Uint8Array): Promise<number> {
    return attempt(this.#path, async () => await this.#readable().read(buffer) ?? 0);
  }

  seek(offsetBytes: number): Promise<void> {
    return attempt(this.#path, async () => {
      await this.#readable().seek(offsetBytes, Deno.SeekMode.Start);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file?.close();
  }

  #readable(): Deno.FsFile {
    if (this.#file) return this.#file;
    throw new TaskFileError("invalid", `Cannot read ${this.#path}: it is not a regular file`);
  }
}

async function attempt<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof TaskFileError ? error : asTaskFileError(path, error);
  }
}

const codes: Readonly<Record<string, TaskFileError["code"]>> = {
  ENOENT: "missing",
  ENOTDIR: "missing",
  EACCES: "not-readable",
  EPERM: "not-readable",
  EIO: "not-readable",
};

function asTaskFileError(path: string, error: unknown): TaskFileError {
  if (error instanceof SystemError) {
    return new TaskFileError(codes[error.code] ?? "invalid", `Cannot open ${error.message}`);
  }
  return new TaskFileError(codeOf(error), `Cannot access ${path}: ${errorText(error)}`);
}

function codeOf(error: unknown): TaskFileError["code"] {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "missing";
  if (error instanceof Deno.errors.PermissionDenied) return "not-readable";
  return "invalid";
}

function factsOf(info: Deno.FileInfo): FileFacts {
  const special = specialKindOf(info);
  return { kind: kindOf(info), sizeBytes: info.size, ...(special ? { special } : {}) };
}

function specialKindOf(info: Deno.FileInfo): FileFacts["special"] {
  if (info.isFifo) return "fifo";
  if (info.isSocket) return "socket";
  return info.isBlockDevice || info.isCharDevice ? "device" : undefined;
}

function kindOf(info: Deno.FileInfo): FileKind {
  if (info.isFile) return "file";
  if (info.isDirectory) return "directory";
  return info.isSymlink ? "symlink" : "other";
}
