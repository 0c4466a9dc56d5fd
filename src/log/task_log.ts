/** The log of one run: what the worker says and what the commands print, in one file, byte for byte. */

import { formatTimestamp } from "../base/timestamp.ts";
import { errorText } from "../base/error_text.ts";

export interface TaskLogOptions {
  /** The file; created, must not exist. */
  readonly path: string;
  readonly nowMs?: () => number;
}

const newline = 0x0a;

/**
 * Writes at once and in order, so that the file is the truth at every moment. A write that fails (full disk) is
 * counted, not thrown: the task goes on and `lost` says what is missing.
 */
export class TaskLog {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #nowMs: () => number;
  readonly #encoder = new TextEncoder();
  readonly #followers = new Set<() => void>();
  #sizeBytes = 0;
  #atLineStart = true;
  #closed = false;
  #lostBytes = 0;
  #lostBecause = "";

  /** @throws the system's error when the file can't be made */
  constructor(options: TaskLogOptions) {
    this.path = options.path;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#file = Deno.openSync(options.path, { write: true, createNew: true, append: true, mode: 0o600 });
  }

  /** `[taskcluster <timestamp>] ` lines. */
  info(message: string): void {
    this.#say(`[taskcluster ${formatTimestamp(this.#nowMs())}] `, message);
  }

  /** `[taskcluster:warn <timestamp>] ` lines. */
  warn(message: string): void {
    this.#say(`[taskcluster:warn ${formatTimestamp(this.#nowMs())}] `, message);
  }

  /** `[taskcluster:error] ` lines; dashboards take each for a failure line. */
  error(message: string): void {
    this.#say("[taskcluster:error] ", message);
  }

  /** Output of a command, verbatim. */
  write(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#closed) return;
    this.#append(bytes);
    for (const follower of this.#followers) follower();
  }

  /** Bytes in the file so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What could not be written, and why; undefined while nothing is missing. */
  get lost(): { bytes: number; reason: string } | undefined {
    return this.#lostBytes === 0 ? undefined : { bytes: this.#lostBytes, reason: this.#lostBecause };
  }

  /** Calls `changed` after every write, from within it: do nothing slow there. Gives a function that stops it. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => this.#followers.delete(changed);
  }

  /** Ends the log; later messages go nowhere. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
    for (const follower of this.#followers) follower();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Every line of the message gets the prefix, all with the same timestamp (spec 01 §9.1). */
  #say(prefix: string, message: string): void {
    const opening = this.#atLineStart ? "" : "\n";
    const lines = message.split("\n").map((line) => `${prefix}${line}\n`);
    this.write(this.#encoder.encode(opening + lines.join("")));
  }

  #append(bytes: Uint8Array): void {
    let rest = bytes;
    try {
      while (rest.length > 0) {
        const written = this.#file.writeSync(rest);
        this.#sizeBytes += written;
        this.#atLineStart = rest[written - 1] === newline;
        rest = rest.subarray(written);
      }
    } catch (error) {
      this.#lostBytes += rest.length;
      this.#lostBecause = errorText(error);
    }
  }
}
