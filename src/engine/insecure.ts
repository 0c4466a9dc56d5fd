/** The engine whose tasks run with the worker's own account (spec 02 §6). */

import { resolve } from "node:path";
import type { CreateEngine, EngineOptions, TaskContext } from "./engine.ts";
import { createInProcessFiles } from "./in_process_files.ts";

/** What in the worker's environment speaks for the worker, or for the task it runs in itself (weakness 02 §12.14). */
const withheldVariables = [
  "TASKCLUSTER_ACCESS_TOKEN",
  "TASKCLUSTER_CLIENT_ID",
  "TASKCLUSTER_CERTIFICATE",
  "TASKCLUSTER_PROXY_URL",
] as const;

/** Tasks of this engine share everything with the worker: account, environment, file system. */
export const createEngine: CreateEngine = (options) => ({
  name: "insecure",
  // The worker may be any user, so it always asks through sudo (spec 02 §6.1).
  privileged: false,
  createContext: ({ directoryName }) => createContext(directoryName, options),
});

async function createContext(directoryName: string, options: EngineOptions): Promise<TaskContext> {
  const { platform, tasksDirectory, environment } = options;
  const directory = resolve(tasksDirectory, directoryName);
  await Deno.mkdir(tasksDirectory, { recursive: true });
  // Fails when it exists: a directory of an earlier run must not leak into this one.
  await Deno.mkdir(directory, { mode: 0o777 });
  return {
    directory,
    files: createInProcessFiles(platform),
    baseEnvironment: () => withoutCredentials(environment),
    dispose: () => platform.removeTree(directory),
  };
}

function withoutCredentials(environment: Readonly<Record<string, string>>): Record<string, string> {
  const passedOn = { ...environment };
  for (const name of withheldVariables) delete passedOn[name];
  return passedOn;
}
