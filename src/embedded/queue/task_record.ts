/** A task as the queue keeps it: definition, runs, what it waits for. */

import type { RunStatus, TaskStatus } from "../../services/queue_types.ts";
import type { Artifact } from "./artifact.ts";

/** From the most to the least urgent. */
export const priorities = ["highest", "very-high", "high", "medium", "low", "very-low", "lowest"] as const;
export type Priority = (typeof priorities)[number];

/** A definition with all defaults filled in, as `queue.task` gives it. */
export interface TaskDefinition {
  readonly provisionerId: string;
  readonly workerType: string;
  readonly taskQueueId: string;
  readonly schedulerId: string;
  readonly projectId: string;
  readonly taskGroupId: string;
  readonly dependencies: readonly string[];
  readonly requires: "all-completed" | "all-resolved";
  readonly routes: readonly string[];
  readonly priority: Priority;
  readonly retries: number;
  readonly created: string;
  readonly deadline: string;
  readonly expires: string;
  readonly scopes: readonly string[];
  readonly payload: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly extra: Readonly<Record<string, unknown>>;
}

export type ReasonCreated = "scheduled" | "retry" | "task-retry" | "rerun" | "exception";
export type ReasonResolved =
  | "completed"
  | "failed"
  | "deadline-exceeded"
  | "canceled"
  | "claim-expired"
  | "worker-shutdown"
  | "malformed-payload"
  | "resource-unavailable"
  | "internal-error"
  | "intermittent-task";

/** One attempt at a task; timestamps as they go over the wire. */
export interface Run {
  readonly runId: number;
  state: RunStatus["state"];
  readonly reasonCreated: ReasonCreated;
  readonly scheduled: string;
  reasonResolved?: ReasonResolved;
  resolved?: string;
  started?: string;
  takenUntil?: string;
  workerGroup?: string;
  workerId?: string;
}

/** States that end a task unless somebody reruns it. */
const finalStates: ReadonlySet<string> = new Set(["completed", "failed", "exception"]);

/** Everything known of one task. Changed by the life cycle alone. */
export class TaskRecord {
  readonly taskId: string;
  /** As it was created; the priority may have changed since. */
  readonly created: TaskDefinition;
  readonly deadlineMs: number;
  readonly expiresMs: number;
  readonly runs: Run[] = [];
  /** Artifacts by run, then by name. */
  readonly artifacts = new Map<number, Map<string, Artifact>>();
  /** Dependencies not yet satisfied. */
  readonly waitsFor: Set<string>;
  priority: Priority;
  retriesLeft: number;
  cancelClaimAlarm: () => void = () => {};
  cancelDeadlineAlarm: () => void = () => {};

  constructor(taskId: string, definition: TaskDefinition, options: { waitsFor: Iterable<string> }) {
    this.taskId = taskId;
    this.created = definition;
    this.deadlineMs = Date.parse(definition.deadline);
    this.expiresMs = Date.parse(definition.expires);
    this.waitsFor = new Set(options.waitsFor);
    this.priority = definition.priority;
    this.retriesLeft = definition.retries;
  }

  get definition(): TaskDefinition {
    return this.priority === this.created.priority
      ? this.created
      : { ...this.created, priority: this.priority };
  }

  get lastRun(): Run | undefined {
    return this.runs.at(-1);
  }

  get state(): TaskStatus["state"] {
    return this.lastRun?.state ?? "unscheduled";
  }

  get resolved(): boolean {
    return finalStates.has(this.state);
  }

  /** The body of `task-status.json`. */
  status(): TaskStatus & Record<string, unknown> {
    const { provisionerId, workerType, taskQueueId, schedulerId, projectId, taskGroupId } = this.created;
    const { deadline, expires } = this.created;
    return {
      taskId: this.taskId,
      provisionerId,
      workerType,
      taskQueueId,
      schedulerId,
      projectId,
      taskGroupId,
      priority: this.priority,
      deadline,
      expires,
      retriesLeft: this.retriesLeft,
      state: this.state,
      runs: this.runs.map((run) => ({ ...run })),
    };
  }
}
