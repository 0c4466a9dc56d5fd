/**
 * Compresses a task's log while it is written, so that little is left to do when the task ends.
 *
 * It reads the log file at its own speed: a slow disk or processor delays the copy, never the task.
 */

import { basename } from "node:path";
import { gzipBytes, gzipPieceBytes } from "../base/gzip_member.ts";
import { type CopyPaths, GzipCopy } from "./gzip_copy.ts";
import type { TaskLog } from "./task_log.ts";
import { ThreadedGzipCopy } from "./threaded_gzip_copy.ts";

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

export interface GzipFollowerOptions {
  /** From this size of the log on another thread does the work; default 8 MiB, for smaller ones none is started. */
  readonly threadFromBytes?: number;
}

/** Logs shorter than this are compressed in memory at their end: nothing is started for them. */
const shortLogBytes = gzipPieceBytes;
const defaultThreadFromBytes = 8 * 1024 * 1024;

/** Starts following `log`; the compressed copy, if one is needed, will be at `targetPath`. */
export function startGzipFollower(
  log: TaskLog,
  targetPath: string,
  options: GzipFollowerOptions = {},
): GzipFollower {
  return new Follower(log, {
    targetPath,
    threadFromBytes: options.threadFromBytes ?? defaultThreadFromBytes,
  });
}

type Copy = GzipCopy | ThreadedGzipCopy;

class Follower implements GzipFollower {
  readonly #log: TaskLog;
  readonly #paths: CopyPaths;
  readonly #unfollow: () => void;
  #threadFromBytes: number;
  #copy: Copy | undefined;
  #takenBytes = 0;
  #failure: { readonly cause: unknown } | undefined;
  #running: Promise<void> | undefined;
  #finishing = false;
  #stopped = false;

  constructor(log: TaskLog, options: { targetPath: string; threadFromBytes: number }) {
    this.#log = log;
    this.#paths = { from: log.path, to: options.targetPath };
    this.#threadFromBytes = options.threadFromBytes;
    this.#unfollow = log.follow(() => this.#onWrite());
  }

  async finish(): Promise<CompressedLog> {
    this.#unfollow();
    this.#finishing = true;
    const { path, sizeBytes } = this.#log;
    if (!this.#copy && sizeBytes <= shortLogBytes) return await this.#inMemory();
    await this.#running;
    await this.#advance({ toTheEnd: true });
    try {
      if (this.#failure) throw this.#failure.cause;
      const storedBytes = await this.#copy?.finish() ?? 0;
      return { kind: "file", path: this.#paths.to, storedBytes, sizeBytes: this.#takenBytes };
    } catch (because) {
      await this.discard();
      return { kind: "plain", path, sizeBytes, because };
    }
  }

  async discard(): Promise<void> {
    this.#unfollow();
    this.#stopped = true;
    await this.#running;
    await this.#dropCopy();
  }

  #onWrite(): void {
    if (this.#running || this.#failure || this.#behindBytes < shortLogBytes) return;
    this.#running = this.#advance({ toTheEnd: false }).finally(() => this.#running = undefined);
  }

  get #behindBytes(): number {
    return this.#log.sizeBytes - this.#takenBytes;
  }

  /** Whole pieces only, until the end, so that there is something to compress. */
  async #advance({ toTheEnd }: { toTheEnd: boolean }): Promise<void> {
    try {
      while (!this.#stopped && !this.#failure) {
        const copy = await this.#suitableCopy({ toTheEnd });
        const behindBytes = this.#behindBytes;
        const availableBytes = toTheEnd ? behindBytes : behindBytes - behindBytes % gzipPieceBytes;
        if (availableBytes === 0) break;
        const takenBytes = await copy.take(availableBytes);
        if (takenBytes === 0) break;
        this.#takenBytes += takenBytes;
        // Everything else the worker does gets its turn between two pieces.
        if (copy instanceof GzipCopy && !this.#finishing) await new Promise((resolve) => setTimeout(resolve));
      }
    } catch (cause) {
      this.#failure ??= { cause };
    }
  }

  async #suitableCopy({ toTheEnd }: { toTheEnd: boolean }): Promise<Copy> {
    const isLong = this.#log.sizeBytes >= this.#threadFromBytes;
    if (isLong && !toTheEnd && !(this.#copy instanceof ThreadedGzipCopy)) await this.#moveToThread();
    this.#copy ??= new GzipCopy(this.#paths);
    return this.#copy;
  }

  /** The thread starts over, which takes it some milliseconds. Where there is none, the work goes on here. */
  async #moveToThread(): Promise<void> {
    await this.#dropCopy();
    this.#takenBytes = 0;
    try {
      this.#copy = await ThreadedGzipCopy.start(this.#paths);
    } catch {
      this.#threadFromBytes = Infinity;
    }
  }

  async #dropCopy(): Promise<void> {
    if (!this.#copy) return;
    this.#copy.close();
    this.#copy = undefined;
    await Deno.remove(this.#paths.to).catch(() => {});
  }

  async #inMemory(): Promise<CompressedLog> {
    const content = await Deno.readFile(this.#log.path);
    const bytes = gzipBytes(content, { fileName: basename(this.#log.path) });
    return { kind: "memory", bytes, sizeBytes: content.length };
  }
}
