/**
 * Lets a task call the services of the deployment without credentials: the worker signs for it (spec 04 §7, §8).
 *
 * On the insecure engine every process of the machine can use it, because tasks share the worker's account
 * (weakness PF-7).
 */

import { TaskException } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import { notEnabled } from "../../task/not_enabled.ts";

const name = "Taskcluster Proxy";
const bareProgramName = "taskcluster-proxy";

export const taskclusterProxy: Feature = {
  name,
  requested: (task) => task.payload.features["taskclusterProxy"] === true,
  disabled: ({ config }) => config.enableTaskclusterProxy ? undefined : notEnabled(name, config),
  async start(task) {
    const { taskclusterProxyExecutable } = task.worker.config;
    if (task.payload.taskclusterProxyInterface === "docker-bridge") {
      throw new TaskException(
        "internal-error",
        "Cannot start the Taskcluster proxy on a docker bridge: this version of the worker makes no docker networks. " +
          'Set taskclusterProxyInterface to "localhost" in the payload, or use a worker pool with another version',
      );
    }
    if (taskclusterProxyExecutable !== bareProgramName) {
      task.workerLog.warn(
        `The worker itself is the Taskcluster proxy, not ${taskclusterProxyExecutable} (taskclusterProxyExecutable)`,
      );
    }
    // Loaded when the first task needs it.
    const { startProxy } = await import("./start_proxy.ts");
    return startProxy(task);
  },
};
