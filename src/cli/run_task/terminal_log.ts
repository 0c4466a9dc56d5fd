/** Shows a task's log on the terminal while it is written: a feature that only `run-task` adds. */

import type { Feature } from "../../task/feature.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { LogPainter } from "./log_painter.ts";

export interface TerminalLogOptions {
  /** Takes the bytes to show. */
  readonly write: (bytes: Uint8Array) => void;
  readonly colour: boolean;
  /** Told of the run when it starts, so that it can be ended. */
  readonly onStart: (task: TaskRun) => void;
}

/** To be started right after the backing log, whose file it reads. Shows the last line too, hence `finish`. */
export function terminalLog(options: TerminalLogOptions): Feature & { finish(): void } {
  let finish = () => {};
  return {
    name: "Terminal Log",
    requested: () => true,
    start(task) {
      const follower = new LogFollower(task.log.path, options);
      const stop = task.log.follow(() => follower.catchUp());
      follower.catchUp();
      finish = () => {
        stop();
        follower.close();
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

  constructor(path: string, options: TerminalLogOptions) {
    this.#file = Deno.openSync(path, { read: true });
    this.#options = options;
  }

  /** Shows all that has been written since the last time. */
  catchUp(): void {
    for (let read = this.#read(); read > 0; read = this.#read()) this.#show(this.#buffer.subarray(0, read));
  }

  close(): void {
    this.catchUp();
    if (this.#options.colour) this.#options.write(this.#painter.finish());
    this.#file.close();
  }

  #read(): number {
    return this.#file.readSync(this.#buffer) ?? 0;
  }

  #show(bytes: Uint8Array): void {
    this.#options.write(this.#options.colour ? this.#painter.paint(bytes) : bytes);
  }
}
