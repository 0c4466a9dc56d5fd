/**
 * What happens to tasks: created, scheduled, claimed, resolved, retried. The rules are those of the queue's API
 * reference; the state lies in memory and time comes from the clock.
 */

import type { Clock } from "../../base/clock.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import type { Alarms } from "../alarms.ts";
import { ApiError } from "../service.ts";
import { PendingRuns } from "./pending_runs.ts";
import { sameDefinition } from "./task_definition.ts";
import { TaskGroups } from "./task_groups.ts";
import {
  type Priority,
  type ReasonCreated,
  type ReasonResolved,
  type Run,
  type TaskDefinition,
  TaskRecord,
} from "./task_record.ts";

/** Who works on a run. */
export interface WorkerName {
  readonly workerGroup: string;
  readonly workerId: string;
}

export interface LifeCycleOptions {
  readonly clock: Clock;
  readonly alarms: Alarms;
  /** How long a claim lasts, milliseconds. */
  readonly claimTimeoutMs: number;
  /** How long after its deadline a task is resolved, milliseconds. Reclaims are refused in between (weakness K41). */
  readonly deadlineDelayMs: number;
  /** Told after every change of a task. */
  readonly onChange: (record: TaskRecord) => void;
}

type ReportedException = Extract<
  ReasonResolved,
  "worker-shutdown" | "malformed-payload" | "resource-unavailable" | "internal-error" | "intermittent-task"
>;

/** Why a run that ended this way is followed by another one, while retries are left. */
const retryReasons: Partial<Record<ReasonResolved, ReasonCreated>> = {
  "claim-expired": "retry",
  "worker-shutdown": "retry",
  "intermittent-task": "task-retry",
};

/** All tasks and their runs. */
export class LifeCycle {
  readonly pending: PendingRuns;
  readonly groups = new TaskGroups();
  readonly #options: LifeCycleOptions;
  readonly #clock: Clock;
  readonly #tasks = new Map<string, TaskRecord>();
  readonly #dependents = new Map<string, Set<string>>();

  constructor(options: LifeCycleOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.pending = new PendingRuns(options.clock);
  }

  /** @throws ApiError ResourceNotFound */
  task(taskId: string): TaskRecord {
    const record = this.find(taskId);
    if (record) return record;
    throw new ApiError(
      404,
      "ResourceNotFound",
      `Task ${taskId} not found: it was never created, or has expired`,
    );
  }

  find(taskId: string): TaskRecord | undefined {
    const record = this.#tasks.get(taskId);
    return record && record.expiresMs > this.#clock.nowMs() ? record : undefined;
  }

  /** All tasks, in the order of their creation. */
  tasks(): IterableIterator<TaskRecord> {
    return this.#tasks.values();
  }

  /** Tasks that wait or waited for this one, in the order of their creation. */
  dependents(taskId: string): TaskRecord[] {
    return [...this.#dependents.get(taskId) ?? []].flatMap((id) => this.find(id) ?? []);
  }

  /**
   * Creates a task; repeated with the same definition it changes nothing.
   * @throws ApiError RequestConflict, InputError for dependencies that do not exist
   */
  create(taskId: string, definition: TaskDefinition): TaskRecord {
    const present = this.find(taskId);
    if (present) {
      if (sameDefinition(present.created, definition)) return present;
      throw conflict(`Task ${taskId} already exists with another definition`);
    }
    this.#requireDependencies(taskId, definition);
    this.groups.add(taskId, definition, { nowMs: this.#clock.nowMs() });
    const waitsFor = definition.dependencies.filter((id) => !this.#satisfied(definition, this.find(id)));
    const record = new TaskRecord(taskId, definition, { waitsFor });
    this.#tasks.set(taskId, record);
    for (const id of definition.dependencies) {
      this.#dependents.set(id, (this.#dependents.get(id) ?? new Set()).add(taskId));
    }
    this.#setDeadlineAlarm(record);
    if (record.waitsFor.size === 0) this.#addRun(record, "scheduled");
    this.#options.onChange(record);
    return record;
  }

  /** Schedules a task whatever it waits for. @throws ApiError RequestConflict after the deadline */
  schedule(record: TaskRecord): TaskRecord {
    this.#requireBeforeDeadline(record, "scheduled");
    if (record.runs.length > 0) return record;
    this.#addRun(record, "scheduled");
    this.#options.onChange(record);
    return record;
  }

  /** Adds a run to a resolved task and restores its retries. @throws ApiError RequestConflict after the deadline */
  rerun(record: TaskRecord): TaskRecord {
    this.#requireBeforeDeadline(record, "rerun");
    if (record.state === "pending" || record.state === "running") return record;
    record.retriesLeft = record.created.retries;
    this.#setDeadlineAlarm(record);
    this.#addRun(record, record.runs.length === 0 ? "scheduled" : "rerun");
    this.#options.onChange(record);
    return record;
  }

  /** Resolves an unresolved task as canceled; a resolved one stays as it is. @throws ApiError RequestConflict */
  cancel(record: TaskRecord): TaskRecord {
    this.#requireBeforeDeadline(record, "cancelled");
    if (!record.resolved) this.#endTask(record, "canceled");
    return record;
  }

  /** Moves an unresolved task among those waiting. @throws ApiError RequestConflict when it is resolved */
  changePriority(record: TaskRecord, priority: Priority): TaskRecord {
    if (record.resolved) throw conflict(`Task ${record.taskId} is resolved: its priority cannot change`);
    record.priority = priority;
    const run = record.lastRun;
    if (run?.state === "pending") {
      this.#unqueue(record, run);
      this.#enqueue(record, run);
    }
    this.#options.onChange(record);
    return record;
  }

  /** Hands the most urgent waiting run of a queue to a worker. */
  claimNext(taskQueueId: string, worker: WorkerName): { record: TaskRecord; run: Run } | undefined {
    while (true) {
      const next = this.pending.take(taskQueueId);
      if (next === undefined) return undefined;
      const record = this.find(next.taskId);
      const run = record?.runs[next.runId];
      if (!record || run?.state !== "pending" || record.deadlineMs <= this.#clock.nowMs()) continue;
      this.#claim(record, run, worker);
      return { record, run };
    }
  }

  /**
   * Hands one certain run to a worker; the worker that has it already may ask again.
   * @throws ApiError ResourceNotFound, RequestConflict
   */
  claimRun(record: TaskRecord, runId: number, worker: WorkerName): Run {
    const run = this.run(record, runId);
    this.#requireBeforeDeadline(record, "claimed");
    const mine = run.workerGroup === worker.workerGroup && run.workerId === worker.workerId;
    if (run.state === "running" && mine) return run;
    if (run.state !== "pending") {
      throw conflict(`Run ${runId} of task ${record.taskId} is ${run.state}, not pending`);
    }
    this.#unqueue(record, run);
    this.#claim(record, run, worker);
    return run;
  }

  /** Makes a claim last longer. @throws ApiError RequestConflict when the run is over, or the deadline has passed */
  reclaim(record: TaskRecord, runId: number): Run {
    const run = this.run(record, runId);
    this.#requireBeforeDeadline(record, "reclaimed");
    if (run.state !== "running") {
      throw conflict(`Run ${runId} of task ${record.taskId} is ${run.state}, not running`);
    }
    this.#extendClaim(record, run);
    this.#options.onChange(record);
    return run;
  }

  /** Resolves a run as its worker says; repeated it changes nothing. @throws ApiError RequestConflict */
  report(record: TaskRecord, runId: number, reason: "completed" | "failed" | ReportedException): TaskRecord {
    const run = this.run(record, runId);
    if (run.reasonResolved === reason) return record;
    if (run.state !== "running") {
      throw conflict(
        `Run ${runId} of task ${record.taskId} is ${describeRun(run)}: it cannot be resolved as ${reason}`,
      );
    }
    this.#endRun(record, run, reason);
    return record;
  }

  /** @throws ApiError ResourceNotFound */
  run(record: TaskRecord, runId: number): Run {
    const run = record.runs[runId];
    if (run) return run;
    throw new ApiError(404, "ResourceNotFound", `Run ${runId} of task ${record.taskId} not found`);
  }

  #requireDependencies(taskId: string, definition: TaskDefinition): void {
    const missing = definition.dependencies.filter((id) => id !== taskId && !this.find(id));
    if (missing.length === 0) return;
    const list = missing.join(", ");
    throw new ApiError(400, "InputError", `Cannot create task ${taskId}: dependencies do not exist: ${list}`);
  }

  #requireBeforeDeadline(record: TaskRecord, verb: string): void {
    if (record.deadlineMs > this.#clock.nowMs()) return;
    throw conflict(
      `Task ${record.taskId} cannot be ${verb}: its deadline ${record.created.deadline} has passed`,
    );
  }

  #satisfied(definition: TaskDefinition, dependency: TaskRecord | undefined): boolean {
    if (!dependency?.resolved) return false;
    return definition.requires === "all-resolved" || dependency.state === "completed";
  }

  #addRun(record: TaskRecord, reasonCreated: ReasonCreated): void {
    const scheduled = formatTimestamp(this.#clock.nowMs());
    const run: Run = { runId: record.runs.length, state: "pending", reasonCreated, scheduled };
    record.runs.push(run);
    this.#enqueue(record, run);
  }

  #enqueue(record: TaskRecord, run: Run): void {
    this.pending.add(record.created.taskQueueId, record.priority, {
      taskId: record.taskId,
      runId: run.runId,
    });
  }

  #unqueue(record: TaskRecord, run: Run): void {
    this.pending.remove(record.created.taskQueueId, { taskId: record.taskId, runId: run.runId });
  }

  #claim(record: TaskRecord, run: Run, worker: WorkerName): void {
    run.state = "running";
    run.started = formatTimestamp(this.#clock.nowMs());
    run.workerGroup = worker.workerGroup;
    run.workerId = worker.workerId;
    this.#extendClaim(record, run);
    this.#options.onChange(record);
  }

  #extendClaim(record: TaskRecord, run: Run): void {
    const untilMs = this.#clock.nowMs() + this.#options.claimTimeoutMs;
    run.takenUntil = formatTimestamp(untilMs);
    record.cancelClaimAlarm();
    record.cancelClaimAlarm = this.#options.alarms.set(
      untilMs,
      () => this.#endRun(record, run, "claim-expired"),
    );
  }

  #setDeadlineAlarm(record: TaskRecord): void {
    const atMs = record.deadlineMs + this.#options.deadlineDelayMs;
    record.cancelDeadlineAlarm();
    record.cancelDeadlineAlarm = this.#options.alarms.set(
      atMs,
      () => this.#endTask(record, "deadline-exceeded"),
    );
  }

  /** Ends the task whatever state it is in; one without runs gets a run that says why. */
  #endTask(record: TaskRecord, reason: "canceled" | "deadline-exceeded"): void {
    if (record.runs.length === 0) {
      const scheduled = formatTimestamp(this.#clock.nowMs());
      record.runs.push({ runId: 0, state: "pending", reasonCreated: "exception", scheduled });
    }
    const run = record.lastRun;
    if (!run) return;
    this.#unqueue(record, run);
    this.#endRun(record, run, reason);
  }

  #endRun(record: TaskRecord, run: Run, reason: ReasonResolved): void {
    record.cancelClaimAlarm();
    run.state = reason === "completed" || reason === "failed" ? reason : "exception";
    run.reasonResolved = reason;
    run.resolved = formatTimestamp(this.#clock.nowMs());
    const retryReason = retryReasons[reason];
    if (retryReason && record.retriesLeft > 0) {
      record.retriesLeft--;
      this.#addRun(record, retryReason);
    } else {
      this.#taskResolved(record);
    }
    this.#options.onChange(record);
  }

  #taskResolved(record: TaskRecord): void {
    record.cancelDeadlineAlarm();
    for (const dependent of this.dependents(record.taskId)) {
      if (!this.#satisfied(dependent.created, record)) continue;
      dependent.waitsFor.delete(record.taskId);
      if (dependent.waitsFor.size > 0 || dependent.runs.length > 0) continue;
      this.#addRun(dependent, "scheduled");
      this.#options.onChange(dependent);
    }
  }
}

function conflict(message: string): ApiError {
  return new ApiError(409, "RequestConflict", message);
}

function describeRun(run: Run): string {
  return run.reasonResolved === undefined || run.reasonResolved === run.state
    ? run.state
    : `${run.state}/${run.reasonResolved}`;
}
