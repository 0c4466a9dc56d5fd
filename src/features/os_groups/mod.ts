/** Groups of the operating system that a task wants to be a member of (spec 02 §6.8). */

import { TaskException } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import { notEnabled, poolId } from "../../task/not_enabled.ts";

const name = "OS Groups";

/**
 * On the insecure engine a task has the groups of the worker and no others, so the list is only checked. A task
 * without groups has nothing to do with it (weakness K6).
 */
export const osGroups: Feature = {
  name,
  requested: (task) => task.payload.osGroups.length > 0,
  disabled: ({ config }) => config.enableOSGroups ? undefined : notEnabled(name, config),
  requiredScopes: (task) => {
    const pool = poolId(task.worker.config);
    return [task.payload.osGroups.map((group) => `generic-worker:os-group:${pool}/${group}`)];
  },
  async start(task) {
    const allowed = await task.worker.platform.ownGroups();
    const unsupported = task.payload.osGroups.filter((group) => !allowed.includes(group));
    if (unsupported.length === 0) return;
    throw new TaskException(
      "malformed-payload",
      `task payload contains unsupported osGroups: [${unsupported.join(", ")}]\n` +
        `allowed values: [${allowed.join(", ")}]`,
    );
  },
};
