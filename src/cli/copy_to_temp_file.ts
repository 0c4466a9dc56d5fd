/** `copy-to-temp-file`: the copy of a file that only the calling user may read (spec 03 §8). */

import { temporaryDirectory } from "../platform/temporary_directory.ts";
import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { failure } from "./failure.ts";
import { print } from "./terminal.ts";

const bufferBytes = 1 << 20;

/** Copies `--copy-file` and prints the path of the copy. */
export function execute({ values }: CommandArguments): number {
  const source = values["copy-file"]!;
  try {
    print(`${copyToTemporaryFile(source)}\n`);
    return exitCodes.success.code;
  } catch (error) {
    return failure(exitCodes.copyFailed.code, `copying ${source} to a temporary file`, error);
  }
}

function copyToTemporaryFile(source: string): string {
  const { path, file } = createTemporaryFile(baseName(source));
  try {
    using target = file;
    copyInto(target, source, path);
    return path;
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

/** A new file, named `base` and random digits, that only this user may open. */
function createTemporaryFile(base: string): { path: string; file: Deno.FsFile } {
  for (;;) {
    const [digits] = crypto.getRandomValues(new Uint32Array(1));
    const path = `${temporaryDirectory()}/${base}${digits}`;
    try {
      return { path, file: Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }) };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

function copyInto(target: Deno.FsFile, source: string, path: string): void {
  // Asked before opening, because opening a FIFO waits for its writer.
  if (!Deno.statSync(source).isFile) throw notRegular(source, path);
  using input = Deno.openSync(source);
  if (!input.statSync().isFile) throw notRegular(source, path);
  const buffer = new Uint8Array(bufferBytes);
  for (let count = input.readSync(buffer); count !== null; count = input.readSync(buffer)) {
    for (let written = 0; written < count;) written += target.writeSync(buffer.subarray(written, count));
  }
}

function notRegular(source: string, path: string): Error {
  return new Error(`cannot copy ${source} to ${path}: ${source} is not a regular file`);
}

function baseName(path: string): string {
  return path.split(/[/\\]/).filter((part) => part !== "").at(-1) ?? "";
}
