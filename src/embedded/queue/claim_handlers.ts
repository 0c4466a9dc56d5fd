/** Entries of the queue that workers call: claim, reclaim, report. */

import { bodyAs, param } from "../request_parts.ts";
import type { ApiHandler, ApiRequest, ApiResponse } from "../service.ts";
import type { WorkerName } from "./life_cycle.ts";
import type { Queue } from "./queue.ts";
import { runIdOf } from "./run_parameter.ts";

/** claimWork, claimTask, reclaimTask, reportCompleted, reportFailed, reportException. */
export function claimHandlers(queue: Queue): Record<string, ApiHandler> {
  return {
    claimWork: (request) => claimWork(queue, request),
    claimTask: (request) => claimTask(queue, request),
    reclaimTask: (request) => reclaimTask(queue, request),
    reportCompleted: (request) => report(queue, request, "completed"),
    reportFailed: (request) => report(queue, request, "failed"),
    reportException: (request) => report(queue, request, bodyAs<{ reason: ReportedReason }>(request).reason),
  };
}

type ReportedReason = Parameters<Queue["lifeCycle"]["report"]>[2];

async function claimWork(queue: Queue, request: ApiRequest): Promise<ApiResponse> {
  const body = bodyAs<WorkerName & { tasks: number }>(request);
  const { workerGroup, workerId } = body;
  request.authorize({ workerGroup, workerId });
  const { signal } = request;
  return { body: { tasks: await queue.claimWork(param(request, "taskQueueId"), body, { signal }) } };
}

function claimTask(queue: Queue, request: ApiRequest): ApiResponse {
  const record = queue.lifeCycle.task(param(request, "taskId"));
  const name = bodyAs<WorkerName>(request);
  const { provisionerId, workerType, taskQueueId } = record.created;
  request.authorize({ provisionerId, workerType, ...name });
  const run = queue.lifeCycle.claimRun(record, runIdOf(request), name);
  queue.workers.claimed(queue.workers.saw(taskQueueId, name), { taskId: record.taskId, runId: run.runId });
  return { body: queue.claim(record, run) };
}

function reclaimTask(queue: Queue, request: ApiRequest): ApiResponse {
  const record = queue.lifeCycle.task(param(request, "taskId"));
  const run = queue.lifeCycle.reclaim(record, runIdOf(request));
  return { body: queue.reclaim(record, run) };
}

function report(queue: Queue, request: ApiRequest, reason: ReportedReason): ApiResponse {
  const record = queue.lifeCycle.task(param(request, "taskId"));
  return { body: { status: queue.lifeCycle.report(record, runIdOf(request), reason).status() } };
}
