/** What the queue makes of a definition it is sent: defaults, and the rules no schema can express. */

import { stableJson } from "../../base/stable_json.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { ApiError } from "../service.ts";
import type { TaskDefinition } from "./task_record.ts";

/** The body of createTask after its schema's defaults were filled in. */
export type TaskRequest =
  & Omit<TaskDefinition, "provisionerId" | "workerType" | "taskQueueId" | "taskGroupId" | "expires">
  & Partial<Pick<TaskDefinition, "provisionerId" | "workerType" | "taskQueueId" | "taskGroupId" | "expires">>;

const minuteMs = 60_000;
/** Clocks may differ this much. */
const driftMs = 15 * minuteMs;
const longestDeadlineMs = 5 * 24 * 60 * minuteMs;
const yearMs = 365 * 24 * 60 * minuteMs;

/**
 * Completes a definition.
 * @throws ApiError InputError naming the rule that is broken
 */
export function completeDefinition(
  taskId: string,
  request: TaskRequest,
  options: { nowMs: number },
): TaskDefinition {
  const queue = taskQueueOf(request);
  const times = checkedTimes(request, options.nowMs);
  checkRoutes(request.routes);
  return { ...request, ...queue, ...times, taskGroupId: request.taskGroupId ?? taskId };
}

/** Same task, whatever the order of the definition's keys. */
export function sameDefinition(left: TaskDefinition, right: TaskDefinition): boolean {
  return stableJson(left) === stableJson(right);
}

function taskQueueOf(
  request: TaskRequest,
): Pick<TaskDefinition, "provisionerId" | "workerType" | "taskQueueId"> {
  const { taskQueueId, provisionerId, workerType } = request;
  if (taskQueueId === undefined) {
    if (provisionerId === undefined || workerType === undefined) {
      throw refused("at least a taskQueueId, or a provisionerId and a workerType, must be given");
    }
    return { provisionerId, workerType, taskQueueId: `${provisionerId}/${workerType}` };
  }
  const [provisioner = "", type = ""] = taskQueueId.split("/");
  if ((provisionerId ?? provisioner) !== provisioner || (workerType ?? type) !== type) {
    throw refused("taskQueueId does not agree with provisionerId and workerType");
  }
  return { provisionerId: provisioner, workerType: type, taskQueueId };
}

function checkedTimes(
  request: TaskRequest,
  nowMs: number,
): Pick<TaskDefinition, "created" | "deadline" | "expires"> {
  const createdMs = Date.parse(request.created);
  const deadlineMs = Date.parse(request.deadline);
  const expiresMs = request.expires === undefined ? deadlineMs + yearMs : Date.parse(request.expires);
  if (createdMs < nowMs - driftMs) throw refused("created is in the past by more than 15 minutes");
  if (createdMs > nowMs + driftMs) throw refused("created is in the future by more than 15 minutes");
  if (deadlineMs < createdMs) throw refused("deadline is before created");
  if (deadlineMs < nowMs) throw refused("deadline is in the past");
  if (deadlineMs > nowMs + longestDeadlineMs + driftMs) {
    throw refused("deadline is more than 5 days in the future");
  }
  if (expiresMs < deadlineMs) throw refused("expires is before deadline");
  return {
    created: formatTimestamp(createdMs),
    deadline: formatTimestamp(deadlineMs),
    expires: formatTimestamp(expiresMs),
  };
}

function checkRoutes(routes: readonly string[]): void {
  const bad = routes.find((route) => !/^[\x20-\x7e]+$/.test(route));
  if (bad !== undefined) throw refused(`route ${JSON.stringify(bad)} is not printable ASCII`);
}

function refused(problem: string): ApiError {
  return new ApiError(400, "InputError", `Cannot create task: ${problem}`);
}
