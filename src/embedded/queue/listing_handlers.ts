/** Entries of the queue about task queues, their length, and the workers seen there. */

import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate, sortedBy } from "../pagination.ts";
import { bodyAs, param, timeMs } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { Queue } from "./queue.ts";
import { describeWorker, type SeenWorker, summarizeWorker } from "./workers.ts";

/** Counts, listings, quarantine. */
export function listingHandlers(queue: Queue): Record<string, ApiHandler> {
  return {
    pendingTasks: (request) => pendingTasks(queue, request),
    taskQueueCounts: (request) => taskQueueCounts(queue, request),
    listPendingTasks: (request) => listPendingTasks(queue, request),
    listClaimedTasks: (request) => listClaimedTasks(queue, request),
    listProvisioners: (request) => listSeen(queue, request, "provisioners"),
    listTaskQueues: (request) => listSeen(queue, request, "taskQueues"),
    listWorkerTypes: (request) => listSeen(queue, request, "workerTypes"),
    getProvisioner: (request) => seenOne(queue, param(request, "provisionerId"), "provisioners"),
    getTaskQueue: (request) => seenOne(queue, param(request, "taskQueueId"), "taskQueues"),
    getWorkerType: (request) => seenOne(queue, workerPoolOf(request), "workerTypes"),
    listWorkers: (request) => listWorkers(queue, request),
    getWorker: (request) => ({ body: describeWorker(workerOf(queue, request)) }),
    quarantineWorker: (request) => quarantineWorker(queue, request),
    declareWorker: (request) => declareWorker(queue, request),
  };
}

function namesOf(taskQueueId: string) {
  const [provisionerId = "", workerType = ""] = taskQueueId.split("/");
  return { provisionerId, workerType, taskQueueId };
}

function workerPoolOf(request: ApiRequest): string {
  return `${param(request, "provisionerId")}/${param(request, "workerType")}`;
}

function workerOf(queue: Queue, request: ApiRequest): SeenWorker {
  const name = { workerGroup: param(request, "workerGroup"), workerId: param(request, "workerId") };
  return queue.workers.worker(workerPoolOf(request), name);
}

function pendingTasks(queue: Queue, request: ApiRequest): ApiResponse {
  const taskQueueId = param(request, "taskQueueId");
  return {
    body: { ...namesOf(taskQueueId), pendingTasks: queue.lifeCycle.pending.list(taskQueueId).length },
  };
}

function taskQueueCounts(queue: Queue, request: ApiRequest): ApiResponse {
  const taskQueueId = param(request, "taskQueueId");
  const pending = queue.lifeCycle.pending.list(taskQueueId).length;
  return {
    body: {
      ...namesOf(taskQueueId),
      pendingTasks: pending,
      claimedTasks: claimed(queue, taskQueueId).length,
    },
  };
}

function listPendingTasks(queue: Queue, request: ApiRequest): ApiResponse {
  const runs = queue.lifeCycle.pending.list(param(request, "taskQueueId")).map((run, place) => ({
    run,
    place,
  }));
  const page = paginate(runs, { query: request.query, key: ({ place }) => String(place).padStart(9, "0") });
  const tasks = page.items.map(({ run: { taskId, runId, insertedMs } }) => {
    const task = queue.lifeCycle.task(taskId).definition;
    return { taskId, runId, task, inserted: formatTimestamp(insertedMs) };
  });
  return { body: { tasks, ...page.more } };
}

function listClaimedTasks(queue: Queue, request: ApiRequest): ApiResponse {
  const records = sortedBy(claimed(queue, param(request, "taskQueueId")), ({ taskId }) => taskId);
  const page = paginate(records, { query: request.query, key: ({ taskId }) => taskId });
  const tasks = page.items.flatMap((record) => {
    const { taskId, lastRun } = record;
    if (!lastRun) return [];
    const { runId, workerGroup, workerId, started } = lastRun;
    return [{ taskId, runId, workerGroup, workerId, claimed: started, task: record.definition }];
  });
  return { body: { tasks, ...page.more } };
}

function claimed(queue: Queue, taskQueueId: string) {
  return [...queue.lifeCycle.tasks()]
    .filter((record) => record.created.taskQueueId === taskQueueId && record.state === "running");
}

type SeenKind = "provisioners" | "taskQueues" | "workerTypes";

/** Provisioners, queues and types exist through the workers that were seen there. */
function seen(queue: Queue, kind: SeenKind) {
  const latest = new Map<string, SeenWorker>();
  for (const worker of queue.workers.list()) {
    const id = kind === "provisioners" ? namesOf(worker.taskQueueId).provisionerId : worker.taskQueueId;
    const other = latest.get(id);
    if (!other || other.lastActiveMs <= worker.lastActiveMs) latest.set(id, worker);
  }
  return sortedBy(latest, ([id]) => id).map(([id, worker]) => ({ id, body: describeSeen(id, worker, kind) }));
}

function describeSeen(id: string, worker: SeenWorker, kind: SeenKind) {
  const names = {
    provisioners: { provisionerId: id },
    taskQueues: { taskQueueId: id },
    workerTypes: namesOf(id),
  };
  return {
    ...names[kind],
    description: "",
    stability: "experimental",
    expires: formatTimestamp(worker.expiresMs),
    lastDateActive: formatTimestamp(worker.lastActiveMs),
  };
}

function listSeen(queue: Queue, request: ApiRequest, kind: SeenKind): ApiResponse {
  const prefix = kind === "workerTypes" ? `${param(request, "provisionerId")}/` : "";
  const all = seen(queue, kind).filter(({ id }) => id.startsWith(prefix));
  const page = paginate(all, { query: request.query, key: ({ id }) => id });
  return { body: { [kind]: page.items.map(({ body }) => body), ...page.more } };
}

function seenOne(queue: Queue, id: string, kind: SeenKind): ApiResponse {
  const found = seen(queue, kind).find((one) => one.id === id);
  if (found) return { body: found.body };
  throw new ApiError(404, "ResourceNotFound", `${id} not found: no worker of it has ever claimed work`);
}

function listWorkers(queue: Queue, request: ApiRequest): ApiResponse {
  const quarantined = request.query.get("quarantined");
  const workers = queue.workers.list(workerPoolOf(request))
    .filter((worker) =>
      quarantined === null || queue.workers.isQuarantined(worker) === (quarantined === "true")
    );
  const key = ({ workerGroup, workerId }: SeenWorker) => `${workerGroup}/${workerId}`;
  const page = paginate(workers, { query: request.query, key });
  const bodies = page.items.map((worker) => {
    const latestTask = worker.recentTasks.at(-1);
    return { ...summarizeWorker(worker), ...(latestTask ? { latestTask } : {}) };
  });
  return { body: { workers: bodies, ...page.more } };
}

function quarantineWorker(queue: Queue, request: ApiRequest): ApiResponse {
  const worker = workerOf(queue, request);
  const { quarantineUntil, quarantineInfo = "" } = bodyAs<
    { quarantineUntil: string; quarantineInfo?: string }
  >(
    request,
  );
  const untilMs = timeMs(quarantineUntil, "quarantineUntil");
  worker.quarantineUntilMs = untilMs;
  const { clientId } = request.caller;
  worker.quarantines.push({ clientId, updatedMs: queue.clock.nowMs(), untilMs, info: quarantineInfo });
  return { body: describeWorker(worker) };
}

function declareWorker(queue: Queue, request: ApiRequest): ApiResponse {
  const body = bodyAs<{ expires: string }>(request);
  request.authorize({ properties: Object.keys(body) });
  const name = { workerGroup: param(request, "workerGroup"), workerId: param(request, "workerId") };
  const worker = queue.workers.saw(workerPoolOf(request), name);
  worker.expiresMs = timeMs(body.expires, "expires");
  return { body: describeWorker(worker) };
}
