/**
 * Compresses a task's log while it is written, so that little is left to do when the task ends.
 *
 * It reads the log file at its own speed: a slow disk or processor delays the copy, never the task.
 */

import { basename } from "node:path";
import { gzipBytes, GzipMember, gzipPieceBytes } from "../base/gzip_member.ts";
import type { TaskLog } from "./task_log.ts";

/** A whole log, ready to be published as gzip. */
export type CompressedLog =
  & {
    /** Size of the log itself. */
    readonly sizeBytes: number;
  }
  & (
    | { readonly kind: "memory"; readonly bytes: Uint8Array<ArrayBuffer> }
    | { readonly kind: "file"; readonly path: string; readonly storedBytes: number }
    /** The compressed copy could not be written (full disk); the log itself is at `path`. */
    | { readonly kind: "plain"; readonly path: string; readonly because: unknown }
  );

export interface GzipFollower {
  /** Compresses what is left. The log must be closed. */
  finish(): Promise<CompressedLog>;
  /** Stops and removes the copy. */
  discard(): Promise<void>;
}

/** Logs shorter than this are compressed in memory at their end: nothing is started for them. */
const shortLogBytes = gzipPieceBytes;

/** Starts following `log`; the compressed copy, if one is needed, will be at `targetPath`. */
export function startGzipFollower(log: TaskLog, targetPath: string): GzipFollower {
  return new Follower(log, targetPath);
}

class Follower implements GzipFollower {
  readonly #log: TaskLog;
  readonly #targetPath: string;
  readonly #unfollow: () => void;
  #copy: Promise<GzipCopy> | undefined;
  #failure: { readonly cause: unknown } | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(log: TaskLog, targetPath: string) {
    this.#log = log;
    this.#targetPath = targetPath;
    this.#unfollow = log.follow(() => this.#onWrite());
  }

  async finish(): Promise<CompressedLog> {
    this.#unfollow();
    if (!this.#copy && this.#log.sizeBytes <= shortLogBytes) return await this.#inMemory();
    await this.#running;
    await this.#advance({ toTheEnd: true });
    const copy = await this.#opened();
    if (copy && !this.#failure) {
      try {
        const storedBytes = await copy.finish();
        return { kind: "file", path: this.#targetPath, storedBytes, sizeBytes: copy.readBytes };
      } catch (cause) {
        this.#failure = { cause };
      }
    }
    await this.discard();
    const { path, sizeBytes } = this.#log;
    return { kind: "plain", path, sizeBytes, because: this.#failure?.cause };
  }

  async discard(): Promise<void> {
    this.#unfollow();
    this.#stopped = true;
    await this.#running;
    const copy = await this.#opened();
    if (!copy) return;
    copy.close();
    await Deno.remove(this.#targetPath).catch(() => {});
  }

  #onWrite(): void {
    if (this.#running || this.#failure || this.#behindBytes < shortLogBytes) return;
    this.#running = this.#advance({ toTheEnd: false }).finally(() => this.#running = undefined);
  }

  get #behindBytes(): number {
    return this.#log.sizeBytes - this.#takenBytes;
  }

  #takenBytes = 0;

  /** Whole pieces only, until the end: small ones would compress badly. */
  async #advance({ toTheEnd }: { toTheEnd: boolean }): Promise<void> {
    try {
      this.#copy ??= GzipCopy.open(this.#log.path, this.#targetPath);
      const copy = await this.#copy;
      const enough = toTheEnd ? 1 : gzipPieceBytes;
      while (!this.#stopped && !this.#failure && this.#behindBytes >= enough) {
        const taken = await copy.takePiece(this.#behindBytes);
        if (taken === 0) break;
        this.#takenBytes += taken;
      }
    } catch (cause) {
      this.#failure ??= { cause };
    }
  }

  async #opened(): Promise<GzipCopy | undefined> {
    try {
      return await this.#copy;
    } catch {
      return undefined;
    }
  }

  async #inMemory(): Promise<CompressedLog> {
    const content = await Deno.readFile(this.#log.path);
    const bytes = gzipBytes(content, { fileName: basename(this.#log.path) });
    return { kind: "memory", bytes, sizeBytes: content.length };
  }
}

/** The log being read and the copy being written. */
class GzipCopy {
  readonly #from: Deno.FsFile;
  readonly #to: Deno.FsFile;
  readonly #member: GzipMember;
  readonly #piece = new Uint8Array(gzipPieceBytes);
  #readBytes = 0;
  #storedBytes = 0;
  #closed = false;

  static async open(from: string, to: string): Promise<GzipCopy> {
    const source = await Deno.open(from);
    try {
      const target = await Deno.open(to, { write: true, createNew: true, mode: 0o600 });
      const copy = new GzipCopy({ from: source, to: target, fileName: basename(from) });
      await copy.#append(copy.#member.header);
      return copy;
    } catch (error) {
      source.close();
      throw error;
    }
  }

  private constructor(parts: { from: Deno.FsFile; to: Deno.FsFile; fileName: string }) {
    this.#from = parts.from;
    this.#to = parts.to;
    this.#member = new GzipMember({ fileName: parts.fileName });
  }

  get readBytes(): number {
    return this.#readBytes;
  }

  /** Compresses the next piece, of at most `availableBytes`; how much that was, 0 at the end of the log. */
  async takePiece(availableBytes: number): Promise<number> {
    const wantedBytes = Math.min(availableBytes, this.#piece.length);
    let filled = 0;
    while (filled < wantedBytes) {
      const count = await this.#from.read(this.#piece.subarray(filled, wantedBytes));
      if (count === null) break;
      filled += count;
    }
    this.#readBytes += filled;
    await this.#append(this.#member.push(this.#piece.subarray(0, filled)));
    return filled;
  }

  /** Ends and closes the copy; its size. */
  async finish(): Promise<number> {
    await this.#append(this.#member.finish());
    this.close();
    return this.#storedBytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#from.close();
    this.#to.close();
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#to.write(bytes.subarray(at));
    this.#storedBytes += bytes.length;
  }
}
