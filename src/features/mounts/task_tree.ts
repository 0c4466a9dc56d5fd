/**
 * Everything mounts do to files that tasks can reach. An engine whose tasks have accounts of their own does it in
 * another way, so nothing else of this feature touches them.
 */

import { basename, dirname, join } from "node:path";
import { errorText } from "../../base/error_text.ts";
import type { Platform } from "../../platform/platform.ts";

export class TaskTree {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Makes a directory and its parents, for its owner alone; one that exists is fine. */
  async makeDirectory(path: string): Promise<void> {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  }

  /** Is there nothing, or a directory without anything in it? */
  async isVacant(path: string): Promise<boolean> {
    const facts = await lstat(path);
    if (facts === undefined) return true;
    if (!facts.isDirectory) return false;
    for await (const _ of Deno.readDir(path)) return false;
    return true;
  }

  /** @throws Error saying what is there instead when it is no directory */
  async requireDirectory(path: string): Promise<void> {
    const facts = await lstat(path);
    if (facts === undefined) throw new Error(`${path} does not exist any more`);
    if (!facts.isDirectory) throw new Error(`${path} is not a directory any more`);
  }

  /**
   * Moves a directory, to where there is nothing or an empty directory. Across file systems it is copied
   * (weakness W-38), and at no moment is half of it at `to`, or half of it at `from`.
   */
  async move(from: string, to: string): Promise<void> {
    try {
      await Deno.rename(from, to);
    } catch (error) {
      if (!isCrossDevice(error)) throw error;
      await this.#copyAndRemove(from, to);
    }
  }

  /** Removes whatever is at the path, and what an interrupted move has left beside it. */
  async remove(path: string): Promise<void> {
    for (const each of [path, asidePath(path, "part"), asidePath(path, "old")]) {
      await this.#platform.removeTree(each);
    }
  }

  async exists(path: string): Promise<boolean> {
    return await lstat(path) !== undefined;
  }

  /** Gives a file that the worker keeps another place for a moment, to be read only. */
  async lend(source: string, path: string): Promise<void> {
    try {
      await Deno.link(source, path);
    } catch {
      await Deno.copyFile(source, path);
    }
  }

  /**
   * Fills a file with the content of another; a new one gets the usual mode, an existing one keeps its own.
   *
   * @throws Error also when what is there is no file
   */
  async copyFile(source: string, path: string): Promise<void> {
    const mode = await fileMode(path);
    await Deno.copyFile(source, path);
    await Deno.chmod(path, mode);
  }

  /** Fills a file with what `pieces` yields. */
  async writeFile(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    await fileMode(path);
    using file = await Deno.open(path, { write: true, create: true, truncate: true });
    for await (const piece of pieces) {
      for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
    }
  }

  async #copyAndRemove(from: string, to: string): Promise<void> {
    const part = asidePath(to, "part");
    const old = asidePath(from, "old");
    await this.#platform.removeTree(part);
    try {
      await this.#platform.copyTree(from, part);
      await Deno.rename(part, to);
    } catch (error) {
      await this.#platform.removeTree(part);
      throw error;
    }
    await Deno.rename(from, old);
    await this.#platform.removeTree(old);
  }
}

/** Where a move keeps what is not whole yet, or not whole any more: beside `path`, under a name that tells. */
export function asidePath(path: string, what: "part" | "old"): string {
  return join(dirname(path), `.${basename(path)}.${what}`);
}

async function fileMode(path: string): Promise<number> {
  try {
    const facts = await Deno.stat(path);
    if (!facts.isFile) throw new Error(`${path} exists and is not a file`);
    return (facts.mode ?? 0o644) & 0o7777;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0o666 & ~Deno.umask();
    throw error;
  }
}

async function lstat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

function isCrossDevice(error: unknown): boolean {
  return error instanceof Error &&
    (Reflect.get(error, "code") === "EXDEV" || /os error 18/.test(errorText(error)));
}
