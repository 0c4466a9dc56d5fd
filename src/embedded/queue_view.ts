/** The queue seen from inside the process: no HTTP, no polling. */

import { v4 as slugid } from "slugid";
import type { TaskStatus } from "../services/queue_types.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { type Artifact, describeArtifact } from "./queue/artifact.ts";
import type { Queue } from "./queue/queue.ts";
import { completeDefinition, type TaskRequest } from "./queue/task_definition.ts";
import type { TaskDefinition, TaskRecord } from "./queue/task_record.ts";
import type { ArtifactStore, StoredBytes } from "./store.ts";

/** A task as a person writes it: what is missing is filled in. */
export type TaskSketch = Partial<TaskRequest> & { readonly payload: Readonly<Record<string, unknown>> };

/** An artifact's metadata as the queue lists it. */
export type ListedArtifact = ReturnType<typeof describeArtifact>;

/** Bytes of an artifact as they were uploaded, still encoded. */
export interface OpenArtifact extends StoredBytes {
  /** The file must not be changed. */
  readonly path: string;
}

/** Announces changes of tasks. */
export class TaskChanges {
  readonly #listeners = new Set<(record: TaskRecord) => void>();

  /** @returns stops listening */
  listen(listener: (record: TaskRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells all listeners. */
  announce(record: TaskRecord): void {
    for (const listener of [...this.#listeners]) listener(record);
  }
}

const dayMs = 24 * 60 * 60_000;

/** Creates, follows and ends tasks for tests and for `run-task`. */
export class QueueView {
  readonly #queue: Queue;
  readonly #store: ArtifactStore;
  readonly #changes: TaskChanges;

  constructor(queue: Queue, store: ArtifactStore, changes: TaskChanges) {
    this.#queue = queue;
    this.#store = store;
    this.#changes = changes;
  }

  /**
   * Creates a task without asking for scopes. Default: created now, deadline in a day, queue `local/worker`.
   * @returns its id
   * @throws ApiError InputError, RequestConflict
   */
  createTask(sketch: TaskSketch, options: { taskId?: string } = {}): string {
    const { taskId = slugid() } = options;
    const nowMs = this.#queue.clock.nowMs();
    const definition = completeDefinition(taskId, sketched(sketch, nowMs), { nowMs });
    this.#queue.lifeCycle.create(taskId, definition);
    return taskId;
  }

  /** @throws ApiError ResourceNotFound */
  definition(taskId: string): TaskDefinition {
    return this.#queue.lifeCycle.task(taskId).definition;
  }

  /** @throws ApiError ResourceNotFound */
  status(taskId: string): TaskStatus {
    return this.#queue.lifeCycle.task(taskId).status();
  }

  /**
   * The next status of a task that meets the condition; the present one if it does already.
   * @throws ApiError ResourceNotFound; the signal's reason
   */
  until(
    taskId: string,
    condition: (status: TaskStatus) => boolean,
    options: { signal?: AbortSignal } = {},
  ): Promise<TaskStatus> {
    const { signal } = options;
    const present = this.status(taskId);
    return new Promise((resolve, reject) => {
      if (condition(present)) return resolve(present);
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        stopListening();
        reject(signal?.reason);
      };
      const stopListening = this.#changes.listen((record) => {
        if (record.taskId !== taskId || !condition(record.status())) return;
        stopListening();
        signal?.removeEventListener("abort", abort);
        resolve(record.status());
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** The status once the task is completed, failed or exception. */
  resolved(taskId: string, options: { signal?: AbortSignal } = {}): Promise<TaskStatus> {
    const final = new Set(["completed", "failed", "exception"]);
    return this.until(taskId, ({ state }) => final.has(state), options);
  }

  /** Told the status after every change of any task. @returns stops listening */
  onChange(listener: (status: TaskStatus) => void): () => void {
    return this.#changes.listen((record) => listener(record.status()));
  }

  /** @throws ApiError ResourceNotFound, RequestConflict after the deadline */
  cancelTask(taskId: string): void {
    this.#queue.lifeCycle.cancel(this.#queue.lifeCycle.task(taskId));
  }

  /** Artifacts of a run, by default the last, sorted by name. */
  artifacts(taskId: string, runId?: number): ListedArtifact[] {
    const record = this.#queue.lifeCycle.task(taskId);
    return this.#queue.artifacts.list(record, runId ?? lastRunId(record)).map(describeArtifact);
  }

  /** An artifact with all that its type says, links not followed. @throws ApiError ResourceNotFound */
  artifact(taskId: string, name: string, options: { runId?: number } = {}): Artifact {
    const record = this.#queue.lifeCycle.task(taskId);
    return this.#queue.artifacts.required(record, options.runId ?? lastRunId(record), name);
  }

  /**
   * The bytes of an artifact, links followed.
   * @returns undefined for references and errors, and when nothing has been uploaded
   */
  stored(taskId: string, name: string, options: { runId?: number } = {}): OpenArtifact | undefined {
    const record = this.#queue.lifeCycle.task(taskId);
    const { artifact } = this.#queue.artifacts.resolve(record, options.runId ?? lastRunId(record), name);
    if (artifact?.details.storageType === "s3") return this.#store.find(artifact.details);
    if (artifact?.details.storageType !== "object") return undefined;
    return this.#store.find({ bucket: "objects", key: artifact.details.name });
  }

  /** The bytes of an artifact, decoded if they are gzipped. @throws Error when there are none */
  async read(
    taskId: string,
    name: string,
    options: { runId?: number } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const stored = this.stored(taskId, name, options);
    if (!stored) {
      throw new Error(`Cannot read artifact ${name} of task ${taskId}: no bytes have been uploaded`);
    }
    const bytes = await Deno.readFile(stored.path);
    if (stored.contentEncoding !== "gzip") return bytes;
    const decoded = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(decoded).arrayBuffer());
  }
}

function lastRunId(record: TaskRecord): number {
  return record.lastRun?.runId ?? 0;
}

function sketched(sketch: TaskSketch, nowMs: number): TaskRequest {
  const queue = "taskQueueId" in sketch || "provisionerId" in sketch ? {} : { taskQueueId: "local/worker" };
  return { ...defaultsAt(nowMs), ...queue, ...sketch };
}

function defaultsAt(nowMs: number): Omit<TaskRequest, "payload"> {
  return {
    schedulerId: "-",
    projectId: "none",
    dependencies: [],
    requires: "all-completed",
    routes: [],
    priority: "lowest",
    retries: 5,
    created: formatTimestamp(nowMs),
    deadline: formatTimestamp(nowMs + dayMs),
    scopes: [],
    metadata: { name: "task", description: "", owner: "nobody@localhost", source: "https://localhost/" },
    tags: {},
    extra: {},
  };
}
