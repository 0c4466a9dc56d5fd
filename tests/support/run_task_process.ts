/** `run-task` as a process of its own, in a directory where files can be laid down for it. */

import { strict as assert } from "node:assert";
import { genericWorkerCommand, type GenericWorkerResult } from "./generic_worker.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

export interface RunTaskOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Files by their names; objects are written as JSON. */
export type Files = Readonly<Record<string, string | Uint8Array | object>>;

/** A directory with files, in which `run-task` runs; what it leaves in `TMPDIR` can be looked at. */
export class RunTaskPlace implements Disposable {
  readonly #directory = new TemporaryDirectory();

  constructor(files: Files = {}) {
    Deno.mkdirSync(this.temporary);
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  /** Where `TMPDIR` points to. */
  get temporary(): string {
    return this.at("tmp");
  }

  /** Absolute path of something in the directory. */
  at(name: string): string {
    return this.#directory.at(name);
  }

  write(name: string, content: string | Uint8Array | object): void {
    const bytes = content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
    Deno.writeFileSync(this.at(name), bytes);
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.at(name));
  }

  /** Names in `TMPDIR` but those of the folders for artifacts, which are meant to stay. */
  leftovers(): string[] {
    return [...Deno.readDirSync(this.temporary)].map(({ name }) => name).filter((name) =>
      !/^run-task-[0-9a-f]+$/.test(name)
    );
  }

  /** Starts it. */
  start(words: readonly string[], options: RunTaskOptions = {}): RunTaskProcess {
    const { program, words: first, env } = genericWorkerCommand();
    const process = new Deno.Command(program, {
      args: [...first, "run-task", ...words],
      cwd: this.#directory.path,
      env: { NO_COLOR: "1", ...env, TMPDIR: this.temporary, ...options.env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new RunTaskProcess(process, options.stdin);
  }

  /** Runs it to its end. */
  run(words: readonly string[], options: RunTaskOptions = {}): Promise<GenericWorkerResult> {
    return this.start(words, options).ended;
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

export class RunTaskProcess {
  /** Settles at its end. */
  readonly ended: Promise<GenericWorkerResult>;
  readonly #process: Deno.ChildProcess;
  #stdout = "";
  #changed = Promise.withResolvers<void>();

  constructor(process: Deno.ChildProcess, stdin: string | undefined) {
    this.#process = process;
    this.ended = this.#toTheEnd(stdin);
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits until standard output matches; gives what the first group matched. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match) return match[1] ?? match[0];
      const over = await Promise.race([this.#changed.promise, this.ended]);
      assert.ok(
        !over || pattern.test(this.#stdout),
        `run-task never said ${pattern}:\n${JSON.stringify(over)}`,
      );
    }
  }

  async #toTheEnd(stdin: string | undefined): Promise<GenericWorkerResult> {
    const stderr = new Response(this.#process.stderr).text();
    const reading = this.#read();
    if (stdin !== undefined) {
      await new Blob([stdin]).stream().pipeTo(this.#process.stdin);
    }
    const { code } = await this.#process.status;
    await reading;
    return { code, stdout: this.#stdout, stderr: await stderr };
  }

  async #read(): Promise<void> {
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      this.#stdout += text;
      const { resolve } = this.#changed;
      this.#changed = Promise.withResolvers<void>();
      resolve();
    }
  }
}

/** Is there a process with this number that has not ended? */
export function isRunning(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}
