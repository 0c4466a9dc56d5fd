/** Entries of the queue about tasks and task groups. */

import { isTaskId } from "../../base/task_id.ts";
import { paginate, sortedBy } from "../pagination.ts";
import { bodyAs, param } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { Queue } from "./queue.ts";
import { completeDefinition, type TaskRequest } from "./task_definition.ts";
import { describeGroup } from "./task_groups.ts";
import { priorities, type Priority, type TaskRecord } from "./task_record.ts";

/** Everything but claims, artifacts and listings of workers. */
export function taskHandlers(queue: Queue): Record<string, ApiHandler> {
  const { lifeCycle } = queue;
  return {
    task: (request) => ({ body: taskOf(queue, request).definition }),
    status: (request) => ({ body: { status: taskOf(queue, request).status() } }),
    tasks: (request) => tasks(queue, request),
    statuses: (request) => statuses(queue, request),
    createTask: (request) => createTask(queue, request),
    scheduleTask: (request) => changeTask(queue, request, (record) => lifeCycle.schedule(record)),
    rerunTask: (request) => changeTask(queue, request, (record) => lifeCycle.rerun(record)),
    cancelTask: (request) => changeTask(queue, request, (record) => lifeCycle.cancel(record)),
    changeTaskPriority: (request) => changeTaskPriority(queue, request),
    changeTaskGroupPriority: (request) => changeTaskGroupPriority(queue, request),
    listTaskGroup: (request) => listTaskGroup(queue, request),
    getTaskGroup: (request) => ({ body: describeGroup(groupOf(queue, request)) }),
    sealTaskGroup: (request) => sealTaskGroup(queue, request),
    cancelTaskGroup: (request) => cancelTaskGroup(queue, request),
    listDependentTasks: (request) => listDependentTasks(queue, request),
  };
}

/** Checks the id of a route. @throws ApiError InvalidRequestArguments, ResourceNotFound */
export function taskOf(queue: Queue, request: ApiRequest): TaskRecord {
  return queue.lifeCycle.task(slugOf(request, "taskId"));
}

function slugOf(request: ApiRequest, name: string): string {
  const id = param(request, name);
  if (isTaskId(id)) return id;
  throw new ApiError(400, "InvalidRequestArguments", `Invalid URL: ${name} ${id} is not a slugid`);
}

function groupOf(queue: Queue, request: ApiRequest) {
  return queue.lifeCycle.groups.group(slugOf(request, "taskGroupId"));
}

function createTask(queue: Queue, request: ApiRequest): ApiResponse {
  const taskId = slugOf(request, "taskId");
  const nowMs = queue.clock.nowMs();
  const definition = completeDefinition(taskId, bodyAs<TaskRequest>(request), { nowMs });
  const { provisionerId, workerType, projectId, schedulerId, priority, scopes, routes } = definition;
  // Whoever may create tasks of a higher priority may create those of a lower one.
  const allowing = priorities.slice(0, priorities.indexOf(priority) + 1);
  request.authorize({
    scopes,
    routes,
    projectId,
    schedulerId,
    provisionerId,
    workerType,
    priorities: allowing,
  });
  return { body: { status: queue.lifeCycle.create(taskId, definition).status() } };
}

function changeTask(
  queue: Queue,
  request: ApiRequest,
  change: (record: TaskRecord) => TaskRecord,
): ApiResponse {
  const record = taskOf(queue, request);
  const { schedulerId, taskGroupId, projectId } = record.created;
  request.authorize({ schedulerId, taskGroupId, projectId });
  return { body: { status: change(record).status() } };
}

function changeTaskPriority(queue: Queue, request: ApiRequest): ApiResponse {
  const record = taskOf(queue, request);
  request.authorize({ taskQueueId: record.created.taskQueueId });
  const { newPriority } = bodyAs<{ newPriority: Priority }>(request);
  return { body: { status: queue.lifeCycle.changePriority(record, newPriority).status() } };
}

function changeTaskGroupPriority(queue: Queue, request: ApiRequest): ApiResponse {
  const group = groupOf(queue, request);
  const { schedulerId, taskGroupId } = group;
  request.authorize({ schedulerId });
  const { newPriority } = bodyAs<{ newPriority: Priority }>(request);
  const changed = membersOf(queue, group).filter((record) =>
    !record.resolved && record.priority !== newPriority
  );
  for (const record of changed) queue.lifeCycle.changePriority(record, newPriority);
  const taskIds = changed.map(({ taskId }) => taskId);
  return { body: { taskGroupId, schedulerId, newPriority, tasksAffected: taskIds.length, taskIds } };
}

function tasks(queue: Queue, request: ApiRequest): ApiResponse {
  const page = requestedTasks(queue, request);
  const found = page.items.map((record) => ({ taskId: record.taskId, task: record.definition }));
  return { body: { tasks: found, ...page.more } };
}

function statuses(queue: Queue, request: ApiRequest): ApiResponse {
  const page = requestedTasks(queue, request);
  const found = page.items.map((record) => ({ taskId: record.taskId, status: record.status() }));
  return { body: { statuses: found, ...page.more } };
}

function requestedTasks(queue: Queue, request: ApiRequest) {
  const { taskIds = [] } = bodyAs<{ taskIds?: string[] }>(request);
  request.authorize({ taskIds });
  const records = [...new Set(taskIds)].flatMap((id) => queue.lifeCycle.find(id) ?? []);
  return paginate(sortedBy(records, idOf), { query: request.query, key: idOf });
}

function listTaskGroup(queue: Queue, request: ApiRequest): ApiResponse {
  const group = groupOf(queue, request);
  const page = paginate(sortedBy(membersOf(queue, group), idOf), { query: request.query, key: idOf });
  return { body: { ...describeGroup(group), tasks: page.items.map(definitionAndStatus), ...page.more } };
}

function sealTaskGroup(queue: Queue, request: ApiRequest): ApiResponse {
  const { taskGroupId, schedulerId } = groupOf(queue, request);
  request.authorize({ schedulerId });
  return { body: describeGroup(queue.lifeCycle.groups.seal(taskGroupId, { nowMs: queue.clock.nowMs() })) };
}

function cancelTaskGroup(queue: Queue, request: ApiRequest): ApiResponse {
  const group = groupOf(queue, request);
  request.authorize({ schedulerId: group.schedulerId });
  const nowMs = queue.clock.nowMs();
  const open = membersOf(queue, group).filter((record) => !record.resolved && record.deadlineMs > nowMs);
  for (const record of open) queue.lifeCycle.cancel(record);
  const taskIds = open.map(idOf);
  const { taskGroupId } = group;
  return {
    body: { taskGroupId, taskGroupSize: group.taskIds.size, cancelledCount: taskIds.length, taskIds },
  };
}

function listDependentTasks(queue: Queue, request: ApiRequest): ApiResponse {
  const { taskId } = taskOf(queue, request);
  const dependents = sortedBy(queue.lifeCycle.dependents(taskId), idOf);
  const page = paginate(dependents, { query: request.query, key: idOf });
  return { body: { taskId, tasks: page.items.map(definitionAndStatus), ...page.more } };
}

function membersOf(queue: Queue, group: { taskIds: Iterable<string> }): TaskRecord[] {
  return [...group.taskIds].flatMap((id) => queue.lifeCycle.find(id) ?? []);
}

function definitionAndStatus(record: TaskRecord) {
  return { task: record.definition, status: record.status() };
}

function idOf({ taskId }: TaskRecord): string {
  return taskId;
}
