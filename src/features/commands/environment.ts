/** The environment of a task's commands (spec 02 §4.5), layer over layer. */

import type { TaskRun } from "../../task/task_run.ts";

/** Base of the engine, the payload's `env`, the fixed variables, then what features set. */
export function commandEnvironment(task: TaskRun): Record<string, string> {
  return {
    ...task.context.baseEnvironment(),
    ...task.payload.env,
    ...fixedVariables(task),
    ...Object.fromEntries(task.featureEnvironment),
  };
}

function fixedVariables(task: TaskRun): Record<string, string> {
  const { config } = task.worker;
  return {
    TASK_ID: task.taskId,
    RUN_ID: String(task.runId),
    TASK_WORKDIR: task.context.directory,
    TASK_GROUP_ID: task.definition.taskGroupId,
    TASKCLUSTER_ROOT_URL: config.rootURL,
    ...(config.workerLocation === "" ? {} : { TASKCLUSTER_WORKER_LOCATION: config.workerLocation }),
    ...(config.instanceType === "" ? {} : { TASKCLUSTER_INSTANCE_TYPE: config.instanceType }),
  };
}
