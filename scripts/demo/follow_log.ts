/** Shows a task's log while the task runs, from the place where people on the machine look for it. */

import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { taskDirectoryName } from "../../src/task/task_directory.ts";

const lookEveryMs = 50;

export interface FollowOptions {
  /** The worker's `tasksDir`. */
  readonly tasksDirectory: string;
  readonly taskId: string;
  /** Takes whole lines. */
  readonly show: (lines: string) => void;
  /** Ends the following when the task is resolved; what is there by then is shown. */
  readonly signal: AbortSignal;
}

/** Follows the log of run 0. */
export async function followLog(options: FollowOptions): Promise<void> {
  const directory = taskDirectoryName({ taskId: options.taskId, runId: 0 });
  const path = join(options.tasksDirectory, directory, "generic-worker", "live_backing.log");
  using file = await opened(path, options.signal);
  if (!file) return;
  const lines = new Lines(options.show);
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const ended = options.signal.aborted;
    for (let read = file.readSync(buffer); read; read = file.readSync(buffer)) {
      lines.add(buffer.subarray(0, read));
    }
    if (ended) return;
    await sleep(lookEveryMs);
  }
}

/** Undefined when the task ended before there was a log. */
async function opened(path: string, signal: AbortSignal): Promise<Deno.FsFile | undefined> {
  for (;;) {
    try {
      return Deno.openSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    if (signal.aborted) return undefined;
    await sleep(lookEveryMs);
  }
}

class Lines {
  readonly #decoder = new TextDecoder();
  readonly #show: (lines: string) => void;
  #begun = "";

  constructor(show: (lines: string) => void) {
    this.#show = show;
  }

  add(bytes: Uint8Array): void {
    const text = this.#begun + this.#decoder.decode(bytes, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    this.#begun = text.slice(end);
    if (end > 0) this.#show(text.slice(0, end));
  }
}
