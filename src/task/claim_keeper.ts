/**
 * Keeps the claim of one run: reclaims in time, notices when the run is no longer ours, resolves it once.
 *
 * All times are the deployment's: what it says about its clock corrects ours (weakness K7).
 */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import { formatDuration } from "../base/duration.ts";
import { LinkedSignal } from "../base/linked_signal.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import { type Credentials, credentialsFromWire } from "../services/credentials.ts";
import { ServiceError } from "../services/errors.ts";
import type { Queue, RunKey } from "../services/queue.ts";
import type { RunStatus, TaskClaim } from "../services/queue_types.ts";
import { RunLost, TaskException, TaskFailure } from "./errors.ts";
import type { Problem } from "./outcome.ts";

export interface ClaimKeeperOptions {
  readonly claim: TaskClaim;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Deployment's clock minus ours, milliseconds, as known now. */
  readonly skewMs: () => number;
  /** Called once, with what became of the run, when it is no longer ours. */
  readonly onLost: (cause: RunLost) => void;
  /** How often to look at the run's status between reclaims. Default 30 s (weakness K20). */
  readonly lookEveryMs?: number;
}

/** A claim is renewed when this much of it is left, or half of a shorter one. */
const reclaimAheadMs = 5 * 60_000;
/** Longest pause after a refused reclaim that does not settle what became of the run. */
const longestRefusedPauseMs = 10_000;
const shortestRefusedPauseMs = 250;

export class ClaimKeeper {
  readonly #options: ClaimKeeperOptions;
  readonly #run: RunKey;
  readonly #deadlineMs: number;
  readonly #stop = new AbortController();
  readonly #claimGone = new AbortController();
  readonly #listeners = new Set<(credentials: Credentials) => void>();
  #credentials: Credentials;
  #takenUntilMs: number;
  #lost: RunLost | undefined;
  #mayLook = true;
  #keeping: Promise<unknown> = Promise.resolve();
  #resolution: Promise<void> | undefined;

  constructor(options: ClaimKeeperOptions) {
    const { claim } = options;
    this.#options = options;
    this.#run = { taskId: claim.status.taskId, runId: claim.runId };
    this.#deadlineMs = Date.parse(claim.task.deadline);
    this.#credentials = credentialsFromWire(claim.credentials);
    this.#takenUntilMs = Date.parse(claim.takenUntil);
  }

  /** Begins to keep the claim; to be called once, right after the claim. */
  start(): void {
    this.#keeping = Promise.all([this.#keepClaim(), this.#watchDeadline(), this.#watchStatus()]);
  }

  /** Credentials of the latest claim or reclaim. */
  get credentials(): Credentials {
    return this.#credentials;
  }

  /** What became of the run, once it is no longer ours. */
  get lost(): RunLost | undefined {
    return this.#lost;
  }

  /** Aborts when the claim itself is gone, and with it every right to speak for the run. */
  get claimGone(): AbortSignal {
    return this.#claimGone.signal;
  }

  /** Calls `changed` after each reclaim until the function it returns is called. */
  onCredentials(changed: (credentials: Credentials) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /**
   * Ends the keeping and reports the run: completed without a problem, else failed or exception. A run that is
   * known to be lost is not reported. Only the first call counts; later ones wait for it.
   *
   * Never throws: a report that fails is logged, and the queue resolves the run when the claim ends.
   */
  resolve(problem: Problem | undefined): Promise<void> {
    this.#resolution ??= this.#resolveOnce(problem);
    return this.#resolution;
  }

  async #resolveOnce(problem: Problem | undefined): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
    const { log } = this.#options;
    const lost = this.#lost ?? (problem instanceof RunLost ? problem : undefined);
    if (lost) return log.info(`Not reporting the run: ${lost.message}`);
    try {
      await this.#report(problem);
    } catch (error) {
      log.warn(await this.#refusedReport(error));
    }
  }

  async #report(problem: Problem | undefined): Promise<void> {
    const { queue, log } = this.#options;
    const options = { retryForMs: Math.max(this.#remainingMs(), 0) };
    if (problem === undefined) {
      await queue.reportCompleted(this.#credentials, this.#run, options);
      return log.info("Resolved as completed");
    }
    if (problem instanceof TaskFailure) {
      await queue.reportFailed(this.#credentials, this.#run, options);
      return log.info(`Resolved as failed: ${problem.message}`);
    }
    const reason = problem instanceof TaskException ? problem.reason : "internal-error";
    await queue.reportException(this.#credentials, this.#run, reason, options);
    log.info(`Resolved as exception/${reason}: ${problem.message}`);
  }

  async #refusedReport(error: unknown): Promise<string> {
    const run = await this.#look();
    const known = run ? `; the queue has it as ${describe(run)}` : "";
    return `The queue did not accept the resolution of the run: ${errorText(error)}${known}`;
  }

  /** Reclaims again and again, each time in time, until stopped or lost. */
  async #keepClaim(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      const remainingMs = this.#remainingMs();
      await clock.sleep(remainingMs - Math.min(reclaimAheadMs, remainingMs / 2), this.#stop.signal);
      while (!this.#stop.signal.aborted && !await this.#reclaim()) {
        if (this.#remainingMs() <= 0) return this.#lose(claimExpired, { claimGone: true });
        await clock.sleep(this.#refusedPauseMs(), this.#stop.signal);
      }
    }
  }

  /** One reclaim with its retries; true when the claim is renewed or there is nothing left to keep. */
  async #reclaim(): Promise<boolean> {
    const { queue, log, clock } = this.#options;
    const remainingMs = this.#remainingMs();
    using linked = new LinkedSignal([this.#stop.signal]);
    const done = new AbortController();
    clock.sleep(remainingMs, done.signal).then(() => linked.abort());
    try {
      const answer = await queue.reclaimTask(this.#credentials, this.#run, {
        signal: linked.signal,
        retryForMs: remainingMs,
      });
      this.#renew(answer.takenUntil, credentialsFromWire(answer.credentials));
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return true;
      log.warn(`Could not reclaim: ${linked.signal.aborted ? "the claim ended first" : errorText(error)}`);
      if (error instanceof ServiceError && error.status === 409) return await this.#settle();
      return false;
    } finally {
      done.abort();
    }
  }

  #renew(takenUntil: string, credentials: Credentials): void {
    this.#takenUntilMs = Date.parse(takenUntil);
    this.#credentials = credentials;
    this.#options.log.info(
      `Reclaimed until ${takenUntil}, in ${formatDuration(Math.round(this.#remainingMs()))}`,
    );
    for (const listener of this.#listeners) listener(credentials);
  }

  /** After a 409: asks the queue what became of the run; false when it does not say. */
  async #settle(): Promise<boolean> {
    const run = await this.#look();
    if (run) this.#judge(run);
    if (!this.#lost && this.#nowMs() >= this.#deadlineMs) this.#lose(deadlinePassed);
    return this.#lost !== undefined;
  }

  /** The deadline ends the run even while the queue has not resolved it yet (weakness K41). */
  async #watchDeadline(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const remainingMs = this.#deadlineMs - this.#nowMs();
      if (remainingMs <= 0) return this.#lose(deadlinePassed);
      await this.#options.clock.sleep(remainingMs, this.#stop.signal);
    }
  }

  /** A cheap look in between, so that a cancelled run ends within a minute (weakness K20). */
  async #watchStatus(): Promise<void> {
    const { clock, lookEveryMs = 30_000 } = this.#options;
    while (this.#mayLook) {
      await clock.sleep(lookEveryMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      const run = await this.#look({ signal: this.#stop.signal });
      if (run) this.#judge(run);
    }
  }

  /** The run as the queue has it, or undefined when it can't be told (weakness K47). */
  async #look(options: { signal?: AbortSignal } = {}): Promise<RunStatus | undefined> {
    const { queue, log } = this.#options;
    try {
      const status = await queue.status(this.#run.taskId, { ...options, retryForMs: 0 });
      return status.runs[this.#run.runId];
    } catch (error) {
      const refused = error instanceof ServiceError && (error.status === 401 || error.status === 403);
      if (refused) {
        this.#mayLook = false;
        log.warn(
          `Can't see the status of the task, so a cancellation will only be noticed when the claim is renewed. ` +
            `Give queue:status:* to the role anonymous. ${error.message}`,
        );
      }
      return undefined;
    }
  }

  #judge(run: RunStatus): void {
    if (run.state === "running") return;
    const text = lossTexts[run.reasonResolved ?? ""] ?? `The queue has this run as ${describe(run)}`;
    this.#lose(text, { claimGone: run.reasonResolved === "claim-expired" });
  }

  #lose(text: string, options: { claimGone?: boolean } = {}): void {
    if (this.#lost) return;
    this.#lost = new RunLost(text);
    this.#stop.abort();
    if (options.claimGone) this.#claimGone.abort(this.#lost);
    this.#options.log.warn(text);
    this.#options.onLost(this.#lost);
  }

  /** Short enough for several tries within what is left of the claim. */
  #refusedPauseMs(): number {
    return Math.max(Math.min(longestRefusedPauseMs, this.#remainingMs() / 4), shortestRefusedPauseMs);
  }

  #nowMs(): number {
    return this.#options.clock.nowMs() + this.#options.skewMs();
  }

  #remainingMs(): number {
    return this.#takenUntilMs - this.#nowMs();
  }
}

const deadlinePassed = "The deadline of the task has passed";
const claimExpired = "The claim of the run has ended: the queue could not be reached in time to renew it";
const lossTexts: Readonly<Record<string, string>> = {
  "canceled": "The task was cancelled",
  "deadline-exceeded": deadlinePassed,
  "claim-expired": claimExpired,
};

function describe(run: RunStatus): string {
  return run.reasonResolved ? `${run.state}/${run.reasonResolved}` : run.state;
}
