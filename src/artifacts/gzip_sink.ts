/** A compressed copy of an artifact, made of pieces, on whichever thread owns it. */

import { GzipMember } from "../base/gzip_member.ts";

export interface GzipSinkOptions {
  /** Of the copy; must not exist. */
  readonly path: string;
  /** Base name of the original, for the gzip header. */
  readonly fileName: string;
}

/** The copy could not be written. */
export class CopyError extends Error {
  override name = "CopyError";
}

/** Compresses pieces of any size into the copy, one at a time: `push` as often as needed, then `finish` or `close`. */
export class GzipSink {
  readonly #file: Deno.FsFile;
  readonly #member: GzipMember;
  #storedBytes = 0;
  #closed = false;

  /** Starts a copy. @throws CopyError */
  static async create({ path, fileName }: GzipSinkOptions): Promise<GzipSink> {
    const file = await copying(() => Deno.open(path, { write: true, createNew: true, mode: 0o600 }));
    const sink = new GzipSink(file, fileName);
    try {
      await sink.#append([sink.#member.header]);
      return sink;
    } catch (error) {
      sink.close();
      throw error;
    }
  }

  private constructor(file: Deno.FsFile, fileName: string) {
    this.#file = file;
    this.#member = new GzipMember({ fileName });
  }

  /** Afterwards `piece` may be reused. @throws CopyError */
  async push(piece: Uint8Array): Promise<void> {
    await this.#append(await this.#member.push(piece));
  }

  /** Ends and closes the copy; its size. @throws CopyError */
  async finish(): Promise<number> {
    await this.#append(await this.#member.finish());
    this.close();
    return this.#storedBytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#member.close();
    this.#file.close();
  }

  async #append(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += await copying(() => this.#file.write(part.subarray(at)));
      this.#storedBytes += part.length;
    }
  }
}

async function copying<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    throw new CopyError("Cannot write the copy", { cause });
  }
}
