/** A Taskcluster for clients that others wrote. */

import { strict as assert } from "node:assert";
import { type Deployment, startLocalTaskcluster } from "../support/local_taskcluster_process.ts";

export type { Deployment } from "../support/local_taskcluster_process.ts";

/** Starts an empty deployment, lends it to `use`, and stops it. */
export async function withDeployment(use: (deployment: Deployment) => Promise<void>): Promise<void> {
  const taskcluster = await startLocalTaskcluster();
  let code: number | undefined;
  try {
    await use(taskcluster.deployment);
  } finally {
    code = await taskcluster.stop("SIGTERM");
  }
  assert.equal(code, 0, "local-taskcluster ends with 0");
}
