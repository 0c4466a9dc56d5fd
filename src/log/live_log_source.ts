/** A task's log as its live readers see it: the file, read at any offset, and word of what is added to it. */

import type { TaskLog } from "./task_log.ts";

/** A piece of the log, framed as one chunk of HTTP/1.1. */
export interface LogPiece {
  readonly sizeBytes: number;
  /** The bytes themselves. */
  readonly plain: Uint8Array;
  /** The same with the frame around them. */
  readonly chunk: Uint8Array;
}

/** Bounds what a reader that does not read costs: one of these. */
const pieceBytes = 32 * 1024;
const sizeDigits = 4;
const frameStart = sizeDigits + 2;
const frameBytes = frameStart + 2;
/** Pieces given out between two turns of the event loop: the task's own output comes first. */
const piecesPerTurn = 16;
const lineFeed = 0x0a;

/** Where a reader that is behind keeps the piece it is sending; takes room only when it is. */
export class PieceMemory {
  #bytes: Uint8Array | undefined;

  get bytes(): Uint8Array {
    this.#bytes ??= new Uint8Array(pieceBytes + frameBytes);
    return this.#bytes;
  }

  /** Gives the room back, until it is needed again. */
  release(): void {
    this.#bytes = undefined;
  }
}

/**
 * The log's file is opened once more, so that reading never moves where it is written (weakness LF-6). Readers at the
 * end of a log mostly share one piece; those that are behind read into memory of their own.
 */
export class LiveLogSource {
  readonly #log: TaskLog;
  readonly #file: Deno.FsFile;
  readonly #unfollow: () => void;
  readonly #waiting = new Set<() => void>();
  readonly #queued: (() => void)[] = [];
  #turnsLeft = piecesPerTurn;
  #turnTimer: ReturnType<typeof setTimeout> | undefined;
  #latest: (LogPiece & { readonly offset: number }) | undefined;
  #closed = false;

  /** @throws the system's error when the log can't be read */
  constructor(log: TaskLog) {
    this.#log = log;
    this.#file = Deno.openSync(log.path);
    this.#unfollow = log.follow(() => this.#wakeAll());
  }

  get sizeBytes(): number {
    return this.#log.sizeBytes;
  }

  get ended(): boolean {
    return this.#log.closed;
  }

  /** Waits until there is something at `offset`, the log has ended, or `signal` aborts. */
  async reaches(offset: number, signal: AbortSignal): Promise<void> {
    if (this.sizeBytes > offset || this.ended || this.#closed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  /**
   * What is there from `offset` on, up to `toBytes` and to the size of a piece. Valid until the memory that was
   * given is used again.
   *
   * @throws the system's error
   */
  async piece(offset: number, options: { toBytes: number; memory: PieceMemory }): Promise<LogPiece> {
    await this.#turn();
    if (this.#closed) throw new Error("Nobody reads this log any more");
    const wantedBytes = Math.min(pieceBytes, Math.min(options.toBytes, this.sizeBytes) - offset);
    const latest = this.#latest;
    if (latest?.offset === offset && latest.sizeBytes === wantedBytes) return latest;
    if (wantedBytes === pieceBytes) return this.#read(offset, { wantedBytes, into: options.memory.bytes });
    const into = new Uint8Array(wantedBytes + frameBytes);
    this.#latest = { offset, ...this.#read(offset, { wantedBytes, into }) };
    return this.#latest;
  }

  /** Where the last `count` lines begin that are there now; an unfinished one counts. @throws the system's error */
  async startOfLastLines(count: number): Promise<number> {
    const sizeBytes = this.sizeBytes;
    if (count === 0) return sizeBytes;
    const memory = new PieceMemory();
    let left = count;
    // The newline at the very end ends the last line, it does not begin another one.
    for (let end = sizeBytes - 1; end > 0;) {
      const start = Math.max(0, end - pieceBytes);
      const { plain } = await this.piece(start, { toBytes: end, memory });
      for (let at = plain.length - 1; at >= 0; at--) {
        if (plain[at] === lineFeed && --left === 0) return start + at + 1;
      }
      end = start;
    }
    return 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unfollow();
    this.#wakeAll();
    clearTimeout(this.#turnTimer);
    for (const resume of this.#queued.splice(0)) resume();
    this.#file.close();
  }

  #read(offset: number, { wantedBytes, into }: { wantedBytes: number; into: Uint8Array }): LogPiece {
    const chunk = into.subarray(0, wantedBytes + frameBytes);
    const plain = chunk.subarray(frameStart, frameStart + wantedBytes);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let filled = 0; filled < wantedBytes;) {
      const count = this.#file.readSync(plain.subarray(filled));
      if (count === null) {
        throw new Error(`Cannot read the log at byte ${offset + filled}: its file is shorter`);
      }
      filled += count;
    }
    const frame = `${wantedBytes.toString(16).padStart(sizeDigits, "0")}\r\n`;
    new TextEncoder().encodeInto(frame, chunk);
    chunk.set([0x0d, 0x0a], frameStart + wantedBytes);
    return { sizeBytes: wantedBytes, plain, chunk };
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Hundreds of readers that catch up leave room for all else the worker does. */
  async #turn(): Promise<void> {
    if (this.#closed) return;
    this.#turnTimer ??= setTimeout(() => this.#nextTurn());
    if (this.#turnsLeft > 0) {
      this.#turnsLeft--;
      return;
    }
    await new Promise<void>((resolve) => this.#queued.push(resolve));
  }

  #nextTurn(): void {
    const served = this.#queued.splice(0, piecesPerTurn);
    this.#turnsLeft = piecesPerTurn - served.length;
    this.#turnTimer = served.length > 0 ? setTimeout(() => this.#nextTurn()) : undefined;
    for (const resume of served) resume();
  }
}
