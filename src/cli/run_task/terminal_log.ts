/** Shows a task's log on the terminal while it is written: a feature that only `run-task` adds. */

import type { Feature } from "../../task/feature.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { LogPainter } from "./log_painter.ts";

export interface TerminalLogOptions {
  /** Where to show it. */
  readonly stream: { write(bytes: Uint8Array): Promise<number> };
  readonly colour: boolean;
  /** Told of the run when it starts, so that it can be ended. */
  readonly onStart: (task: TaskRun) => void;
}

/** The feature, and `finish`, which settles when all of the log is shown. */
export type TerminalLog = Feature & { finish(): Promise<void> };

/** To be started right after the backing log, whose file it reads. A slow reader does not slow the task. */
export function terminalLog(options: TerminalLogOptions): TerminalLog {
  let finish = () => Promise.resolve();
  return {
    name: "Terminal Log",
    requested: () => true,
    start(task) {
      const follower = new LogFollower(task.log.path, options);
      const stop = task.log.follow(() => follower.catchUp());
      follower.catchUp();
      finish = () => {
        stop();
        return follower.close();
      };
      options.onStart(task);
      return Promise.resolve();
    },
    finish: () => finish(),
  };
}

const chunkBytes = 64 * 1024;

class LogFollower {
  readonly #file: Deno.FsFile;
  readonly #options: TerminalLogOptions;
  readonly #painter = new LogPainter();
  readonly #buffer = new Uint8Array(chunkBytes);
  #showing = Promise.resolve();
  #busy = false;
  #readerGone = false;

  constructor(path: string, options: TerminalLogOptions) {
    this.#file = Deno.openSync(path, { read: true });
    this.#options = options;
  }

  /** Sees to it that all that has been written so far will be shown. */
  catchUp(): void {
    if (!this.#busy) this.#showing = this.#showAll();
  }

  /** Settles when the last byte is shown. */
  async close(): Promise<void> {
    this.catchUp();
    await this.#showing;
    if (this.#options.colour) await this.#write(this.#painter.finish());
    this.#file.close();
  }

  async #showAll(): Promise<void> {
    this.#busy = true;
    for (let read = this.#read(); read > 0; read = this.#read()) {
      const bytes = this.#buffer.subarray(0, read);
      await this.#write(this.#options.colour ? this.#painter.paint(bytes) : bytes);
    }
    this.#busy = false;
  }

  #read(): number {
    return this.#readerGone ? 0 : this.#file.readSync(this.#buffer) ?? 0;
  }

  /** A closed pipe or terminal is no reason to end the task: its log is saved all the same. */
  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < bytes.length && !this.#readerGone;) {
        written += await this.#options.stream.write(bytes.subarray(written));
      }
    } catch {
      this.#readerGone = true;
    }
  }
}
