/** Workers as the queue saw them claim, whether or not they ever registered. */

import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate, sortedBy } from "../pagination.ts";
import { param } from "../request_parts.ts";
import type { ApiHandler, ApiRequest, ApiResponse } from "../service.ts";
import type { Context, QueueWorker } from "./context.ts";
import { notFound } from "./lookup.ts";
import type { WorkerState } from "./registry.ts";

/** Listing and reading them. */
export function seenWorkerHandlers(context: Context): Record<string, ApiHandler> {
  return {
    listWorkers: (request) => listSeenWorkers(context, request),
    getWorker: (request) => getSeenWorker(context, request),
  };
}

function listSeenWorkers(context: Context, request: ApiRequest): ApiResponse {
  const workerPoolId = seenPool(request);
  const quarantined = request.query.get("quarantined");
  const state = request.query.get("workerState");
  const wanted = seenWorkers(context, workerPoolId).filter((worker) =>
    (quarantined === null || (quarantined === "true") === isQuarantined(context, worker)) &&
    (state === null || seenState(context, workerPoolId, worker) === state)
  );
  const page = paginate(wanted, { query: request.query, key: seenKey });
  const workers = page.items.map((worker) => ({
    ...describeSeen(context, workerPoolId, worker),
    ...latestTask(worker),
  }));
  return { body: { workers, ...page.more } };
}

function getSeenWorker(context: Context, request: ApiRequest): ApiResponse {
  const workerPoolId = seenPool(request);
  const group = param(request, "workerGroup");
  const id = param(request, "workerId");
  const worker = seenWorkers(context, workerPoolId)
    .find((seen) => seen.workerGroup === group && seen.workerId === id);
  if (worker === undefined) throw notFound("Worker", `${workerPoolId}/${group}/${id}`);
  return {
    body: {
      ...describeSeen(context, workerPoolId, worker),
      provisionerId: param(request, "provisionerId"),
      workerType: param(request, "workerType"),
      recentTasks: worker.recentTasks,
      expires: formatTimestamp(worker.expiresMs),
    },
  };
}

function seenPool(request: ApiRequest): string {
  return `${param(request, "provisionerId")}/${param(request, "workerType")}`;
}

function seenWorkers(context: Context, workerPoolId: string): QueueWorker[] {
  return sortedBy(context.queueWorkers?.(workerPoolId) ?? [], seenKey);
}

function seenKey(worker: QueueWorker): string {
  return `${worker.workerGroup}/${worker.workerId}`;
}

/** A worker that claims without ever having registered is a standalone one. */
function seenState(context: Context, workerPoolId: string, worker: QueueWorker): WorkerState | "standalone" {
  return context.registry.worker({ workerPoolId, ...worker })?.state ?? "standalone";
}

function describeSeen(context: Context, workerPoolId: string, worker: QueueWorker) {
  const registered = context.registry.worker({ workerPoolId, ...worker });
  const quarantineUntilMs = worker.quarantineUntilMs;
  return {
    workerPoolId,
    workerGroup: worker.workerGroup,
    workerId: worker.workerId,
    firstClaim: formatTimestamp(worker.firstClaimMs),
    lastDateActive: formatTimestamp(worker.lastActiveMs),
    state: seenState(context, workerPoolId, worker),
    capacity: registered?.capacity ?? 0,
    ...(registered === undefined ? {} : { providerId: registered.providerId }),
    ...(quarantineUntilMs === undefined ? {} : { quarantineUntil: formatTimestamp(quarantineUntilMs) }),
  };
}

function latestTask(worker: QueueWorker) {
  const task = worker.recentTasks.at(-1);
  return task === undefined ? {} : { latestTask: task };
}

function isQuarantined(context: Context, worker: QueueWorker): boolean {
  return (worker.quarantineUntilMs ?? 0) > context.clock.nowMs();
}
