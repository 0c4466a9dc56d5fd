/** A worker of this checkout, as a process of its own with a config file, as on an image. */

import { join } from "node:path";

export interface WorkerProcessOptions {
  /** The checkout. */
  readonly root: string;
  /** The worker's directory. */
  readonly directory: string;
  /** The config file's settings. */
  readonly config: Readonly<Record<string, unknown>>;
}

export class WorkerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #log: Promise<string>;

  constructor({ process, log }: { process: Deno.ChildProcess; log: Promise<string> }) {
    this.#process = process;
    this.#log = log;
  }

  /** Writes the config file and starts the worker with it. */
  static async start({ root, directory, config }: WorkerProcessOptions): Promise<WorkerProcess> {
    const path = join(directory, "generic-worker.config");
    await Deno.writeTextFile(path, JSON.stringify(config, null, 2), { mode: 0o600 });
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--quiet",
        "--config",
        join(root, "deno.json"),
        join(root, "main.ts"),
        "run",
        "--config",
        path,
      ],
      cwd: directory,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    return new WorkerProcess({ process, log: new Response(process.stderr).text() });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Settles with the exit code when it has ended by itself. */
  async exited(): Promise<number> {
    return (await this.#process.status).code;
  }

  /** All that it logged, once it has ended. */
  log(): Promise<string> {
    return this.#log;
  }

  /** Ends it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await this.#process.status;
    await this.#log;
  }
}
