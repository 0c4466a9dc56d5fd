/** One run from claim to resolution. */

import { join } from "node:path";
import { errorText } from "../base/error_text.ts";
import { TaskLog } from "../log/task_log.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { TaskClaim } from "../services/queue_types.ts";
import { ActiveRun } from "./active_run.ts";
import { ClaimKeeper } from "./claim_keeper.ts";
import { RunLost, TaskException } from "./errors.ts";
import type { Feature } from "./feature.ts";
import type { Problem } from "./outcome.ts";
import { runPipeline } from "./pipeline.ts";
import { taskDirectoryName } from "./task_directory.ts";
import type { SlotPorts } from "./task_run.ts";
import type { WorkerContext } from "./worker_context.ts";

export interface RunTaskOptions {
  readonly claim: TaskClaim;
  readonly ports: SlotPorts;
  readonly features: readonly Feature[];
  /** Where runs keep their private files; one directory in it per run says which task directory is ours. */
  readonly ownership: RunOwnership;
}

/** Remembers on disk which directories belong to this worker, so that a restart removes them and no others. */
export interface RunOwnership {
  /** Makes the private directory of a run and notes its task directory in it, before that one exists. */
  begin(run: { name: string; taskDirectory: string }): Promise<string>;
}

/** A run that is going on. */
export interface RunHandle {
  /** Name of its directories. */
  readonly name: string;
  readonly taskId: string;
  readonly runId: number;
  /** Settles when the run is resolved and its directory removed; never rejects. */
  readonly finished: Promise<RunReport>;
  /** Ends the run early; the first cause counts, in whatever state the run is. */
  abort(cause: Problem): void;
}

export interface RunReport {
  readonly problems: readonly Problem[];
  /** Settles when what the run left behind has ended too; the end of the worker waits for it. */
  readonly outlasting: Promise<void>;
}

/** Starts a run right after its claim. The claim is kept from this moment on. */
export function startRun(worker: WorkerContext, options: RunTaskOptions): RunHandle {
  const { claim } = options;
  const taskId = claim.status.taskId;
  const workerLog = worker.log.forTask(taskId, claim.runId);
  const aborts = new Aborts();
  const keeper = new ClaimKeeper({
    claim,
    queue: worker.queue,
    clock: worker.clock,
    log: workerLog,
    skewMs: () => worker.client.clockSkewMs,
    onLost: (cause) => aborts.abort(cause),
  });
  keeper.start();
  const name = taskDirectoryName({ taskId, runId: claim.runId });
  return {
    name,
    taskId,
    runId: claim.runId,
    finished: new Run(worker, { ...options, name, keeper, aborts, workerLog }).toTheEnd(),
    abort: (cause) => aborts.abort(cause),
  };
}

/** Passes aborts on to the run, whatever state it is in. */
class Aborts {
  #cause: Problem | undefined;
  #run: ActiveRun | undefined;
  #stopping = false;

  abort(cause: Problem): void {
    if (this.#stopping && !(cause instanceof RunLost)) return;
    this.#cause ??= cause;
    this.#run?.abort(cause);
  }

  /** An abort that came before the run was set up counts all the same (weakness K11). */
  attach(run: ActiveRun): void {
    this.#run = run;
    if (this.#cause) run.abort(this.#cause);
  }

  /** The commands are over and the run has its result: nothing but its loss can change it now (weakness K12). */
  stopping(): void {
    this.#stopping = true;
  }
}

interface RunParts extends RunTaskOptions {
  readonly name: string;
  readonly keeper: ClaimKeeper;
  readonly aborts: Aborts;
  readonly workerLog: WorkerLog;
}

const logName = "live_backing.log";

/** People and scripts look for a running task's log in here; the worker itself never opens it by this path. */
async function linkLog(taskDirectory: string, logPath: string): Promise<void> {
  const directory = join(taskDirectory, "generic-worker");
  await Deno.mkdir(directory, { mode: 0o700 });
  await Deno.symlink(logPath, join(directory, logName));
}

async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(promises);
}

class Run {
  readonly #worker: WorkerContext;
  readonly #parts: RunParts;

  constructor(worker: WorkerContext, parts: RunParts) {
    this.#worker = worker;
    this.#parts = parts;
  }

  async toTheEnd(): Promise<RunReport> {
    const report = await this.#execute();
    await this.#parts.keeper.resolve(report.problems[0]);
    return report;
  }

  async #execute(): Promise<RunReport> {
    let run: ActiveRun;
    try {
      run = await this.#setUp();
    } catch (error) {
      return { problems: [this.#setUpProblem(error)], outlasting: Promise.resolve() };
    }
    await runPipeline(run, this.#parts.features, { onStopping: () => this.#parts.aborts.stopping() });
    run.log.close();
    return { problems: run.outcome.problems, outlasting: allSettled(run.outlasting) };
  }

  /** Directory, log and state of the run; whatever fails here concerns this run only (weakness K10). */
  async #setUp(): Promise<ActiveRun> {
    const { name, claim, keeper, aborts, ports, ownership, workerLog } = this.#parts;
    const taskDirectory = join(this.#worker.tasksDirectory, name);
    const privateDirectory = await ownership.begin({ name, taskDirectory });
    const context = await this.#worker.engine.createContext({ directoryName: name });
    await linkLog(taskDirectory, join(privateDirectory, logName));
    const log = new TaskLog({ path: join(privateDirectory, logName), nowMs: this.#worker.clock.nowMs });
    const run = new ActiveRun({
      worker: this.#worker,
      claim,
      keeper,
      context,
      privateDirectory,
      log,
      workerLog,
      ports,
    });
    aborts.attach(run);
    return run;
  }

  #setUpProblem(error: unknown): Problem {
    this.#parts.workerLog.error(`Could not set up the run: ${errorText(error)}`);
    return new TaskException(
      "internal-error",
      `Could not set up the task's environment: ${errorText(error)}`,
    );
  }
}
