/**
 * The loop that claims tasks (spec 01 §6).
 *
 * Runs look after themselves: their completion is booked the moment it happens, whatever the loop waits for
 * (weaknesses K1, K3).
 */

import { errorText } from "../base/error_text.ts";
import { LinkedSignal } from "../base/linked_signal.ts";
import { TaskException, WorkerFault } from "../task/errors.ts";
import type { Feature } from "../task/feature.ts";
import { poolId } from "../task/not_enabled.ts";
import { type RunHandle, type RunReport, startRun } from "../task/run_task.ts";
import type { WorkerContext } from "../task/worker_context.ts";
import type { TaskClaim } from "../services/queue_types.ts";
import type { DeploymentCheck } from "./deployment_check.ts";
import { diskNeed, missingDiskSpace } from "./disk_space.ts";
import { IdleTimer } from "./idle_timer.ts";
import type { Metrics } from "./metrics.ts";
import type { ResolvedCounter } from "./resolved_counter.ts";
import type { RunRegistry } from "./run_registry.ts";
import { describePorts, type Slot, Slots } from "./slots.ts";
import type { StatusFile } from "./status_file.ts";
import type { Termination } from "./termination.ts";

/** Claims start at least this far apart, unless a task finishes in between (spec 01 §6.1). */
const claimEveryMs = 5_000;
/** The queue gives at most this many claims a call (weakness K5). */
const mostClaims = 32;
/** How much longer than the idle timeout a claim may wait for its answer: the queue holds a call for 20 s. */
const longPollMs = 25_000;
/**
 * How long a claim may still be answered after the worker was asked to end: the queue may have just given out a run,
 * which would stay with this worker until its claim ends if the answer were not read.
 */
const claimGraceMs = 1_000;

export interface WorkerLoopOptions {
  readonly features: readonly Feature[];
  readonly registry: RunRegistry;
  readonly counter: ResolvedCounter;
  readonly statusFile: StatusFile;
  readonly termination: Termination;
  readonly metrics: Metrics;
  readonly deployment: DeploymentCheck;
  /** Asks whether the pool wants this worker to end; absent when nobody manages it. */
  readonly shouldTerminate?: () => Promise<boolean>;
}

export class WorkerLoop {
  readonly #worker: WorkerContext;
  readonly #options: WorkerLoopOptions;
  readonly #slots: Slots;
  readonly #idle: IdleTimer;
  readonly #running = new Set<RunHandle>();
  /** Promises the end of the worker waits for: that each run's end is booked, and that nothing of it goes on. */
  readonly #booked = new Set<Promise<void>>();
  #wake = new AbortController();
  /** The latest claim; never rejects. */
  #claiming: Promise<unknown> = Promise.resolve();

  constructor(worker: WorkerContext, options: WorkerLoopOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#slots = new Slots(worker.config);
    this.#idle = new IdleTimer({ clock: worker.clock, timeoutMs: worker.config.idleTimeoutSecs * 1000 });
    options.termination.signal.addEventListener("abort", () => this.#onTermination(), { once: true });
  }

  /**
   * Claims and runs tasks until there is a reason to end; all running tasks have ended by then.
   *
   * @returns the exit code (spec 01 §2.4)
   * @throws WorkerFault when the worker can't go on
   */
  async run(): Promise<number> {
    const { metrics } = this.#options;
    // What a killed worker left of it tells of tasks that run no more (weakness K30).
    await this.#options.statusFile.update([]);
    // Before task directories are removed: what was mounted into them may still be of use.
    for (const feature of this.#options.features) await feature.prepareWorker?.(this.#worker);
    await this.#purge();
    this.#idle.restart();
    metrics({ eventType: "workerReady", timeMs: this.#worker.clock.nowMs() });
    try {
      while (true) {
        const exitCode = await this.#iterate();
        if (exitCode !== undefined) return exitCode;
      }
    } finally {
      await this.#allFinished();
    }
  }

  /** One round: reasons to end, a claim, a pause. Gives the exit code when it is time to end. */
  async #iterate(): Promise<number | undefined> {
    await this.#askWhetherToEnd();
    const ending = this.#options.termination.requested;
    if (ending) {
      await this.#allFinished();
      return ending.exitCode;
    }
    if (this.#tasksLeft === 0) return this.#allTasksRun();
    const startedMs = this.#worker.clock.monotonicMs();
    this.#wake = new AbortController();
    const tasks = this.#claimable();
    if (tasks > 0 && await this.#haveRoom()) {
      const claiming = this.#claim(tasks);
      this.#claiming = claiming;
      for (const claim of await claiming) this.#start(claim);
    }
    if (this.#running.size === 0 && await this.#idledOut()) return 68;
    const canClaim = tasks > 0 || this.#running.size === 0;
    await this.#pause(canClaim ? claimEveryMs - (this.#worker.clock.monotonicMs() - startedMs) : Infinity);
    return undefined;
  }

  async #askWhetherToEnd(): Promise<void> {
    const { deployment, termination } = this.#options;
    if (await deployment.isNew({ now: this.#tasksLeft === 0 })) {
      termination.request({ reason: "new deployment", exitCode: 70, finishTasks: true });
    } else if (await this.#poolWantsTheEnd()) {
      termination.request({ reason: "worker manager", exitCode: 70, finishTasks: true });
    }
  }

  /** Tasks still to run before the worker ends; undefined: no limit. */
  get #tasksLeft(): number | undefined {
    const { numberOfTasksToRun } = this.#worker.config;
    return numberOfTasksToRun === 0
      ? undefined
      : Math.max(numberOfTasksToRun - this.#options.counter.count, 0);
  }

  /** A worker restarted after its last task ends again at once, and says why (weakness K15). */
  #allTasksRun(): number {
    const { counter } = this.#options;
    this.#worker.log.info(
      `Resolved ${counter.count} tasks, and numberOfTasksToRun is ${this.#worker.config.numberOfTasksToRun}: ` +
        `ending. To run more, raise the setting or remove ${counter.path}`,
    );
    return 0;
  }

  #claimable(): number {
    const left = this.#tasksLeft ?? Infinity;
    return Math.min(this.#slots.free, mostClaims, left - this.#running.size);
  }

  /** @throws WorkerFault when an idle worker has no room for any task */
  async #haveRoom(): Promise<boolean> {
    // What fills the disk may be a task that has just ended, and is about to be removed.
    if (missingDiskSpace(this.#worker) !== undefined) await this.#purge();
    const need = diskNeed(this.#worker);
    for (const feature of this.#options.features) await feature.reclaimDiskSpace?.(this.#worker, need);
    const missing = missingDiskSpace(this.#worker);
    if (missing === undefined) return true;
    if (this.#running.size === 0) {
      throw new WorkerFault(69, `Not enough disk space to run a task: ${missing}`);
    }
    this.#worker.log.warn(`Not claiming further tasks until a running one has ended: ${missing}`);
    return false;
  }

  async #claim(tasks: number): Promise<readonly TaskClaim[]> {
    const { config, queue, log, clock } = this.#worker;
    const { termination } = this.#options;
    const enough = new AbortController();
    const done = new AbortController();
    if (this.#running.size === 0 && this.#idle.leftMs < Infinity) {
      clock.sleep(this.#idle.leftMs + longPollMs, done.signal).then(() => enough.abort());
    }
    const onTermination = () => void clock.sleep(claimGraceMs, done.signal).then(() => enough.abort());
    termination.signal.addEventListener("abort", onTermination);
    try {
      return await queue.claimWork(this.#worker.credentials(), {
        taskQueueId: poolId(config),
        tasks,
        workerGroup: config.workerGroup,
        workerId: config.workerId,
      }, { signal: enough.signal });
    } catch (error) {
      if (!termination.requested) log.warn(`Could not claim work. ${errorText(error)}`);
      return [];
    } finally {
      termination.signal.removeEventListener("abort", onTermination);
      done.abort();
    }
  }

  #start(claim: TaskClaim): void {
    const { features, registry, metrics } = this.#options;
    const { clock, log } = this.#worker;
    const run = { taskId: claim.status.taskId, runId: claim.runId };
    const slot = this.#slots.take();
    log.info(`Task found: ${run.taskId}`);
    log.info(`Task ${run.taskId} allocated ports: ${describePorts(slot.ports)}`);
    metrics({ eventType: "taskQueued", timeMs: Date.parse(claim.task.created), run });
    metrics({ eventType: "taskStart", timeMs: clock.nowMs(), run });
    const handle = startRun(this.#worker, { claim, ports: slot.ports, features, ownership: registry });
    this.#running.add(handle);
    const completed = handle.finished.then((report) => {
      this.#waitFor(report.outlasting);
      return this.#completed({ handle, report, slot });
    });
    this.#waitFor(completed);
    this.#noteRunning();
    this.#idle.restart();
    if (this.#options.termination.requested?.finishTasks === false) handle.abort(shutdown());
  }

  /** The worker does not end before it. */
  #waitFor(promise: Promise<void>): void {
    const booked = promise.finally(() => this.#booked.delete(booked));
    this.#booked.add(booked);
  }

  async #completed({ handle, report, slot }: { handle: RunHandle; report: RunReport; slot: Slot }) {
    const { metrics, counter, termination, registry } = this.#options;
    this.#running.delete(handle);
    this.#slots.release(slot);
    this.#idle.restart();
    metrics({ eventType: "taskFinish", timeMs: this.#worker.clock.nowMs(), run: handle });
    const counted = counter.increment();
    this.#sayResolved();
    if (report.problems.some(isShutdown)) {
      termination.request({ reason: "a task was shut down", exitCode: 72, finishTasks: false });
    }
    this.#noteRunning();
    this.#wake.abort();
    await counted;
    if (this.#tasksLeft !== 0) void registry.purgeSoon(() => this.#runningNames(), termination.signal);
  }

  #sayResolved(): void {
    const left = this.#tasksLeft;
    const more = left === undefined || left === 0 ? "" : ` (will exit after resolving ${left} more)`;
    this.#worker.log.info(`Resolved ${this.#options.counter.count} tasks in total so far${more}.`);
  }

  #noteRunning(): void {
    this.#options.statusFile.update([...this.#running].map((run) => run.taskId));
  }

  #purge(): Promise<void> {
    return this.#options.registry.purge(() => this.#runningNames());
  }

  #runningNames(): ReadonlySet<string> {
    return new Set([...this.#running].map((run) => run.name));
  }

  /** True when the worker has been idle too long and nobody wants it to stay. */
  async #idledOut(): Promise<boolean> {
    const report = this.#idle.report(this.#tasksLeft);
    if (report) this.#worker.log.info(report);
    if (!this.#idle.expired) return false;
    if (this.#options.shouldTerminate && !await this.#poolWantsTheEnd()) {
      this.#worker.log.info("Idle timeout reached, but worker manager wants this worker to stay");
      this.#idle.restart();
      return false;
    }
    await this.#purge();
    return true;
  }

  async #poolWantsTheEnd(): Promise<boolean> {
    return await this.#options.shouldTerminate?.() ?? false;
  }

  /** Waits for the time to pass, a run to end, or the worker to be asked to end. */
  async #pause(durationMs: number): Promise<void> {
    using linked = new LinkedSignal([this.#wake.signal, this.#options.termination.signal]);
    const atMostMs = this.#running.size === 0 ? Math.min(durationMs, this.#idle.leftMs) : durationMs;
    if (atMostMs > 0) await this.#worker.clock.sleep(atMostMs, linked.signal);
  }

  async #onTermination(): Promise<void> {
    const request = this.#options.termination.requested;
    this.#worker.log.info(`Ending the worker: ${request?.reason}`);
    if (request?.finishTasks) return;
    // Else a claim that is still under way would be given the very runs that make up for those ended here.
    await this.#claiming;
    for (const run of this.#running) run.abort(shutdown());
  }

  /** All runs have ended and are booked; runs that start meanwhile are waited for too. */
  async #allFinished(): Promise<void> {
    while (this.#booked.size > 0) await Promise.all(this.#booked);
    await this.#options.statusFile.update([]);
  }
}

function shutdown(): TaskException {
  return new TaskException("worker-shutdown", "graceful termination requested, without time to finish tasks");
}

function isShutdown(problem: unknown): boolean {
  return problem instanceof TaskException && problem.reason === "worker-shutdown";
}
