/** Task groups: which tasks belong together, and whether more may join. */

import { formatTimestamp } from "../../base/timestamp.ts";
import { ApiError } from "../service.ts";
import type { TaskDefinition } from "./task_record.ts";

/** One group. */
export interface TaskGroup {
  readonly taskGroupId: string;
  readonly schedulerId: string;
  readonly taskIds: Set<string>;
  /** The latest expiry of its tasks. */
  expires: string;
  sealed?: string;
}

/** Groups come into being with their first task. */
export class TaskGroups {
  readonly #groups = new Map<string, TaskGroup>();

  /** @throws ApiError ResourceNotFound */
  group(taskGroupId: string): TaskGroup {
    const group = this.#groups.get(taskGroupId);
    if (group) return group;
    throw new ApiError(404, "ResourceNotFound", `Task group ${taskGroupId} not found: it has no tasks`);
  }

  /** @throws ApiError RequestConflict when the group is sealed or belongs to another scheduler */
  add(taskId: string, definition: TaskDefinition, options: { nowMs: number }): void {
    const { taskGroupId, schedulerId, expires } = definition;
    const group = this.#groups.get(taskGroupId);
    if (!group) {
      this.#groups.set(taskGroupId, { taskGroupId, schedulerId, expires, taskIds: new Set([taskId]) });
      return;
    }
    if (group.schedulerId !== schedulerId) {
      throw refused(taskId, taskGroupId, `belongs to the scheduler ${group.schedulerId}`);
    }
    if (group.sealed && Date.parse(group.sealed) <= options.nowMs) {
      throw refused(taskId, taskGroupId, "is sealed");
    }
    group.taskIds.add(taskId);
    if (expires > group.expires) group.expires = expires;
  }

  /** Lets no further tasks in; repeating it keeps the first date. */
  seal(taskGroupId: string, options: { nowMs: number }): TaskGroup {
    const group = this.group(taskGroupId);
    group.sealed ??= formatTimestamp(options.nowMs);
    return group;
  }
}

/** The body of `task-group-response.json`. */
export function describeGroup({ taskGroupId, schedulerId, expires, sealed }: TaskGroup) {
  return { taskGroupId, schedulerId, expires, ...(sealed === undefined ? {} : { sealed }) };
}

function refused(taskId: string, taskGroupId: string, why: string): ApiError {
  return new ApiError(
    409,
    "RequestConflict",
    `Cannot create task ${taskId}: its group ${taskGroupId} ${why}`,
  );
}
