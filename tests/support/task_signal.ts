/** How a task tells a test that it has come to a certain place: a FIFO it writes a line to. */

import { strict as assert } from "node:assert";
import { join } from "node:path";

/** Use with `await using`. */
export class TaskSignal implements AsyncDisposable {
  /** What the task writes to: `echo something > <path>`. */
  readonly path: string;
  readonly #directory: string;
  readonly #file: Deno.FsFile;
  #pending: Promise<unknown> = Promise.resolve();

  static async make(): Promise<TaskSignal> {
    const directory = await Deno.makeTempDir({ prefix: "task-signal-" });
    const path = join(directory, "fifo");
    const { success } = await new Deno.Command("mkfifo", { args: ["-m", "666", path] }).output();
    assert.ok(success);
    return new TaskSignal(directory, path);
  }

  private constructor(directory: string, path: string) {
    this.#directory = directory;
    this.path = path;
    // With both directions neither opening nor reading sees an end, whoever comes and goes.
    this.#file = Deno.openSync(path, { read: true, write: true });
  }

  /** The next lines a task writes, without the last newline. */
  async received(): Promise<string> {
    const buffer = new Uint8Array(4096);
    const reading = this.#file.read(buffer);
    this.#pending = reading;
    const count = await reading ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, count)).trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A read that still waits would hold the file open.
    this.#file.writeSync(new Uint8Array([0x0a]));
    await this.#pending;
    this.#file.close();
    await Deno.remove(this.#directory, { recursive: true });
  }
}
