/** A whole worker, as its users run it: the program, a config file, a directory, and a Taskcluster to serve. */

import { join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { type EmbeddedTaskcluster, startEmbeddedTaskcluster } from "../../src/embedded/mod.ts";
import type { EmbeddedSettings, FaultSchedule, TaskSketch } from "../../src/embedded/mod.ts";
import type { RunStatus, TaskStatus } from "../../src/services/queue_types.ts";
import { genericWorkerCommand } from "./generic_worker.ts";

/** The pool all test workers belong to; the embedded queue's default. */
const pool = { provisionerId: "local", workerType: "worker" } as const;

export interface WorkerSetup {
  /** Settings of the config file, over the ones every test needs. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly settings?: EmbeddedSettings;
  readonly faults?: FaultSchedule;
  /** The deployment's clock. Default: the machine's. */
  readonly clock?: Clock;
  /** Added to the worker's environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A payload with what every payload needs filled in. */
export function shell(script: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { command: [["/bin/sh", "-c", script]], maxRunTime: 60, ...more };
}

/** Starts a Taskcluster, calls `use`, and ends every worker that was started meanwhile. */
export async function withDeployment(
  setup: WorkerSetup,
  use: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "worker-test-" });
  const taskcluster = await startEmbeddedTaskcluster({
    validateAnswers: true,
    ...(setup.settings ? { settings: setup.settings } : {}),
    ...(setup.faults ? { faults: setup.faults } : {}),
    ...(setup.clock ? { clock: setup.clock } : {}),
  });
  const deployment = new Deployment({ taskcluster, directory, setup });
  try {
    await use(deployment);
    if (taskcluster.bugs.length > 0) {
      throw new Error(`The embedded services failed:\n${taskcluster.bugs.join("\n")}`);
    }
  } finally {
    await deployment.end();
    await taskcluster.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

/** The same with one worker running. */
export function withWorker(
  setup: WorkerSetup,
  use: (deployment: Deployment, worker: RunningWorker) => Promise<void>,
): Promise<void> {
  return withDeployment(setup, async (deployment) => await use(deployment, await deployment.startWorker()));
}

/** What became of a task. */
export interface Resolved {
  readonly taskId: string;
  readonly status: TaskStatus;
  /** The last run. */
  readonly run: RunStatus;
  /** `completed/completed`, `exception/malformed-payload` … */
  readonly resolution: string;
}

export class Deployment {
  readonly taskcluster: EmbeddedTaskcluster;
  /** Of the worker: its state files lie here. */
  readonly directory: string;
  readonly #setup: WorkerSetup;
  readonly #workers: RunningWorker[] = [];

  constructor(parts: { taskcluster: EmbeddedTaskcluster; directory: string; setup: WorkerSetup }) {
    this.taskcluster = parts.taskcluster;
    this.directory = parts.directory;
    this.#setup = parts.setup;
  }

  /** Starts a worker and waits until it is about to claim. */
  async startWorker(config: Readonly<Record<string, unknown>> = {}): Promise<RunningWorker> {
    const worker = await this.spawnWorker(config);
    await worker.says("workerReady");
    return worker;
  }

  /** Starts a worker that may end at once. */
  async spawnWorker(config: Readonly<Record<string, unknown>> = {}): Promise<RunningWorker> {
    const path = await this.writeConfig(config);
    const { program, words, env } = genericWorkerCommand();
    const temporary = join(this.directory, "tmp");
    await Deno.mkdir(temporary, { recursive: true });
    const worker = new RunningWorker({
      words: [program, ...words, "run", "--config", path],
      directory: this.directory,
      environment: { ...env, TMPDIR: temporary, ...this.#setup.environment },
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Writes the config file of the next worker and gives its path. */
  async writeConfig(config: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const path = join(this.directory, "generic-worker.config");
    const text = JSON.stringify({ ...this.#baseConfig(), ...this.#setup.config, ...config });
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    return path;
  }

  #baseConfig() {
    const { rootUrl, credentials } = this.taskcluster;
    return {
      rootURL: rootUrl,
      clientId: credentials.clientId,
      accessToken: credentials.accessToken.reveal(),
      ...pool,
      workerGroup: "tests",
      workerId: "worker-1",
      requiredDiskSpaceMegabytes: 1,
      ed25519SigningKeyLocation: "key",
      sentryProject: "",
    };
  }

  createTask(payload: Readonly<Record<string, unknown>>, sketch: Partial<TaskSketch> = {}): string {
    return this.taskcluster.queue.createTask({ ...sketch, payload });
  }

  /** Creates a task and waits for its resolution. */
  async run(payload: Readonly<Record<string, unknown>>, sketch: Partial<TaskSketch> = {}): Promise<Resolved> {
    return await this.resolved(this.createTask(payload, sketch));
  }

  async resolved(taskId: string): Promise<Resolved> {
    const status = await this.taskcluster.queue.resolved(taskId, { signal: AbortSignal.timeout(120_000) });
    const run = status.runs.at(-1)!;
    return { taskId, status, run, resolution: `${status.state}/${run.reasonResolved}` };
  }

  /** Waits until the task's last run is in this state. */
  async reaches(taskId: string, state: string): Promise<TaskStatus> {
    return await this.taskcluster.queue.until(taskId, (status) => status.runs.at(-1)?.state === state, {
      signal: AbortSignal.timeout(60_000),
    });
  }

  async artifactText(taskId: string, name: string, runId?: number): Promise<string> {
    const bytes = await this.taskcluster.queue.read(taskId, name, runId === undefined ? {} : { runId });
    return new TextDecoder().decode(bytes);
  }

  /** The backing log of a task's last run. */
  log(taskId: string, runId?: number): Promise<string> {
    return this.artifactText(taskId, "public/logs/live_backing.log", runId);
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
  }
}

export class RunningWorker {
  readonly pid: number;
  /** The exit code. */
  readonly exited: Promise<number>;
  readonly #process: Deno.ChildProcess;
  #log = "";
  #changed = Promise.withResolvers<void>();
  readonly #reading: Promise<void>;

  constructor(options: { words: readonly string[]; directory: string; environment: Record<string, string> }) {
    const [program = "", ...args] = options.words;
    this.#process = new Deno.Command(program, {
      args,
      cwd: options.directory,
      clearEnv: true,
      env: { ...ownEnvironment(), ...options.environment },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.pid = this.#process.pid;
    this.exited = this.#process.status.then((status) => status.code);
    this.#reading = this.#read();
  }

  /** All that the worker has logged. */
  get log(): string {
    return this.#log;
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits until its log contains the text `times` times. @throws Error when the worker ends without saying it */
  async says(text: string, times = 1): Promise<void> {
    const said = () => this.#log.split(text).length > times;
    while (!said()) {
      const changed = this.#changed.promise;
      const ended = await Promise.race([changed.then(() => false), this.#reading.then(() => true)]);
      if (ended && !said()) throw new Error(`The worker never said ${text}:\n${this.#log}`);
    }
  }

  /** Ends it if it has not ended. */
  async end(): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.exited;
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const text of this.#process.stderr.pipeThrough(new TextDecoderStream())) {
      this.#log += text;
      const { resolve } = this.#changed;
      this.#changed = Promise.withResolvers<void>();
      resolve();
    }
  }
}

/** The test's environment, without what the runtime of the tests was told for itself alone. */
function ownEnvironment(): Record<string, string> {
  const { DENO_TLS_CA_STORE: _, ...environment } = Deno.env.toObject();
  return environment;
}
