/** A Taskcluster for clients that others wrote, reached only through what `local-taskcluster` prints. */

import { strict as assert } from "node:assert";
import { localTaskcluster } from "../../src/cli/local_taskcluster.ts";

/** The environment variables that the command tells a shell to export. */
export type Deployment = Readonly<
  Record<"TASKCLUSTER_ROOT_URL" | "TASKCLUSTER_CLIENT_ID" | "TASKCLUSTER_ACCESS_TOKEN", string>
>;

/** Starts an empty deployment, lends it to `use`, and stops it. */
export async function withDeployment(use: (deployment: Deployment) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { promise: printed, resolve } = Promise.withResolvers<string>();
  const ended = localTaskcluster({ port: 0 }, { signal: stop.signal, print: resolve, printError: () => {} });
  try {
    await use(exportsIn(await printed));
  } finally {
    stop.abort();
    assert.equal(await ended, 0);
  }
}

function exportsIn(script: string): Deployment {
  const value = (name: string) => {
    const found = new RegExp(`^export ${name}=(.*)$`, "m").exec(script)?.[1];
    assert.ok(found, `local-taskcluster exports ${name}`);
    return found;
  };
  return {
    TASKCLUSTER_ROOT_URL: value("TASKCLUSTER_ROOT_URL"),
    TASKCLUSTER_CLIENT_ID: value("TASKCLUSTER_CLIENT_ID"),
    TASKCLUSTER_ACCESS_TOKEN: value("TASKCLUSTER_ACCESS_TOKEN"),
  };
}
