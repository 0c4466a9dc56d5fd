/** Makes of any task one that can run here and now, on the embedded Taskcluster. */

import { closestName } from "../../base/closest_name.ts";
import type { GivenTask } from "./task_source.ts";

/** The one pool of the embedded Taskcluster that `run-task` uses. */
export const localPool = { provisionerId: "local", workerType: "run-task" } as const;

export interface LocalDefinition {
  readonly definition: Readonly<Record<string, unknown>>;
  /** What differs from the given task, for the person who runs it. */
  readonly changes: readonly string[];
}

const hourMs = 60 * 60_000;

/** All that the queue knows in a definition (queue.createTask). */
const knownKeys: readonly string[] = [
  "created",
  "deadline",
  "dependencies",
  "expires",
  "extra",
  "metadata",
  "payload",
  "priority",
  "projectId",
  "provisionerId",
  "requires",
  "retries",
  "routes",
  "schedulerId",
  "scopes",
  "tags",
  "taskGroupId",
  "taskQueueId",
  "workerType",
];

/**
 * The given task with this machine's pool and fresh dates. What would make it wait or announce itself (dependencies,
 * routes) is left out; payload, scopes, tags and `extra` stay as they are.
 */
export function localDefinition(given: GivenTask, { nowMs }: { nowMs: number }): LocalDefinition {
  const at = (inMs: number) => new Date(nowMs + inMs).toISOString();
  const task = given.kind === "definition" ? given.definition : { payload: given.payload };
  const payload = task["payload"] as Record<string, unknown>;
  const deadlineMs = runTimeMs(payload) + hourMs;
  return {
    definition: {
      ...localPool,
      schedulerId: "-",
      created: at(0),
      deadline: at(Math.min(deadlineMs, 5 * 24 * hourMs - hourMs)),
      expires: at(365 * 24 * hourMs),
      retries: 0,
      scopes: task["scopes"] ?? [],
      payload: withoutOldDates(payload),
      metadata: { ...defaultMetadata, ...task["metadata"] as object | undefined },
      tags: task["tags"] ?? {},
      extra: task["extra"] ?? {},
    },
    changes: changesOf(task),
  };
}

const defaultMetadata = {
  name: "run-task",
  description: "A task run on this machine",
  owner: "nobody@localhost.localdomain",
  source: "https://localhost/run-task",
};

function runTimeMs(payload: Record<string, unknown>): number {
  const seconds = Number(payload["maxRunTime"]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

/** Expiry dates of artifacts that were right for the original task would be too early for this one. */
function withoutOldDates(payload: Record<string, unknown>): Record<string, unknown> {
  const { artifacts } = payload;
  if (!Array.isArray(artifacts)) return payload;
  return { ...payload, artifacts: artifacts.map(withoutExpiry) };
}

function withoutExpiry(artifact: unknown): unknown {
  if (artifact === null || typeof artifact !== "object") return artifact;
  const { expires: _expires, ...rest } = artifact as Record<string, unknown>;
  return rest;
}

function changesOf(task: Readonly<Record<string, unknown>>): string[] {
  const changes: string[] = [];
  const count = (key: string) => Array.isArray(task[key]) ? (task[key] as unknown[]).length : 0;
  if (count("dependencies") > 0) changes.push(`Not waiting for ${count("dependencies")} dependencies`);
  if (count("routes") > 0) changes.push(`Leaving out ${count("routes")} routes`);
  return [...changes, ...Object.keys(task).filter((key) => !knownKeys.includes(key)).map(unknownKey)];
}

/** The queue of a real deployment refuses such a definition. */
function unknownKey(key: string): string {
  const meant = closestName(key, knownKeys);
  return `Leaving out ${key}, which is no part of a task definition` +
    (meant ? `; did you mean ${meant}?` : "");
}
