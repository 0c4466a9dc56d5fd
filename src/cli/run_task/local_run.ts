/** One task, one worker, one embedded Taskcluster: all in this process. */

import { join } from "node:path";
import { v4 as slugid } from "slugid";
import { createEngine } from "#engine";
import payloadSchema from "#payload-schema" with { type: "json" };
import { createPlatform } from "#platform";
import { type EmbeddedTaskcluster, startEmbeddedTaskcluster } from "../../embedded/mod.ts";
import { features } from "../../features/list.ts";
import { createWorkerLog } from "../../log/worker_log.ts";
import type { Platform } from "../../platform/platform.ts";
import { ServiceClient } from "../../services/client.ts";
import { RunLost } from "../../task/errors.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { Termination } from "../../worker/termination.ts";
import { runWorker } from "../../worker/worker.ts";
import { buildInfo } from "../build_info.ts";
import { writeBytes } from "../terminal.ts";
import { loadWorkerConfig } from "../worker_config.ts";
import type { Interruption } from "./interruption.ts";
import { localPool } from "./local_definition.ts";
import { RunTaskError } from "./run_task_error.ts";
import { saveArtifacts, type SavedArtifact, workerLogName } from "./save_artifacts.ts";
import { terminalLog } from "./terminal_log.ts";

/** How it went. */
export interface LocalResult {
  readonly taskId: string;
  readonly state: string;
  readonly reason: string;
  readonly durationMs: number;
  /** Where artifacts and the worker's own log are. */
  readonly directory: string;
  readonly artifacts: readonly SavedArtifact[];
}

export interface LocalRunOptions {
  /** Takes the artifacts and the worker's own log. */
  readonly directory: string;
  /** An empty directory for everything that is of no interest afterwards. */
  readonly scratchDirectory: string;
  /** Shows the task's log. */
  readonly terminal: { write(bytes: Uint8Array): Promise<number>; isTerminal(): boolean };
  readonly interruption: Interruption;
}

/** Processes that outlive their task get this long to end. */
const graceMs = 1_000;

/**
 * Starts an embedded Taskcluster and a worker for this one task; afterwards neither of them nor any process of the
 * task is left.
 *
 * @throws ServiceError when the queue does not take the definition
 * @throws RunTaskError when the worker gives up
 */
export async function runLocally(
  definition: Readonly<Record<string, unknown>>,
  options: LocalRunOptions,
): Promise<LocalResult> {
  const startedMs = performance.now();
  const { directory, scratchDirectory, interruption } = options;
  const platform = { ...createPlatform(), temporaryDirectory: () => scratchDirectory };
  interruption.beforeLeaving(() => platform.killEverything());
  const taskcluster = await startEmbeddedTaskcluster({
    directory: await below(scratchDirectory, "taskcluster"),
  });
  try {
    const taskId = await createTask(taskcluster, definition);
    await work(taskcluster, { ...options, platform, taskId });
    await platform.killMarked([{ TASK_ID: taskId }], { graceMs });
    return {
      taskId,
      ...resolutionOf(taskcluster, { taskId, directory }),
      durationMs: Math.round(performance.now() - startedMs),
      directory,
      artifacts: await saveArtifacts(taskcluster.queue, { taskId, directory }),
    };
  } finally {
    await taskcluster.stop();
    await platform.removeTree(scratchDirectory);
  }
}

/** Over HTTP, so that the definition is held against the queue's schema. @throws ServiceError */
async function createTask(
  taskcluster: EmbeddedTaskcluster,
  definition: Readonly<Record<string, unknown>>,
): Promise<string> {
  const taskId = slugid();
  await new ServiceClient({ rootUrl: taskcluster.rootUrl }).call({
    service: "queue",
    name: "createTask",
    method: "PUT",
    path: ["task", taskId],
    body: definition,
    credentials: taskcluster.credentials,
  });
  return taskId;
}

interface WorkOptions extends LocalRunOptions {
  readonly platform: Platform;
  readonly taskId: string;
}

/** One worker for one task: the task's log goes to the terminal, the worker's own into the folder. */
async function work(taskcluster: EmbeddedTaskcluster, options: WorkOptions): Promise<void> {
  const { platform, taskId, terminal, interruption: { signal } } = options;
  const workDirectory = await below(options.scratchDirectory, "worker");
  const termination = new Termination();
  let running: TaskRun | undefined;
  const cancel = () => {
    taskcluster.queue.cancelTask(taskId);
    if (running) running.abort(new RunLost("The task was cancelled from the terminal"));
    else termination.request({ reason: "interrupted", exitCode: 71, finishTasks: false });
  };
  const shown = terminalLog({
    stream: terminal,
    colour: terminal.isTerminal() && !Deno.noColor && Deno.env.get("TERM") !== "dumb",
    onStart: (task) => running = task,
  });
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  using workerLog = await openWorkerLog(options.directory);
  const [first, ...others] = features;
  const config = await localConfig(taskcluster, { workDirectory, platform });
  try {
    await runWorker({
      config,
      reloadConfig: () => Promise.resolve(config),
      build: buildInfo,
      platform,
      createEngine,
      payloadSchema,
      features: [...(first ? [first] : []), shown, ...others],
      log: createWorkerLog((line) => writeBytes(workerLog, new TextEncoder().encode(line))),
      directory: workDirectory,
      environment: Deno.env.toObject(),
      termination,
    });
  } finally {
    await shown.finish();
    signal.removeEventListener("abort", cancel);
  }
}

function openWorkerLog(directory: string): Promise<Deno.FsFile> {
  return Deno.open(join(directory, workerLogName), { write: true, create: true, truncate: true });
}

async function below(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  await Deno.mkdir(path);
  return path;
}

/** Through a config file, as any worker gets it. */
async function localConfig(
  taskcluster: EmbeddedTaskcluster,
  { workDirectory, platform }: { workDirectory: string; platform: Platform },
) {
  const path = join(workDirectory, "generic-worker.config");
  const settings = {
    rootURL: taskcluster.rootUrl,
    clientId: taskcluster.credentials.clientId,
    accessToken: taskcluster.credentials.accessToken.reveal(),
    ...localPool,
    workerGroup: "local",
    workerId: "run-task",
    numberOfTasksToRun: 1,
    requiredDiskSpaceMegabytes: 0,
    ed25519SigningKeyLocation: join(workDirectory, "signing.key"),
    sentryProject: "",
  };
  await Deno.writeTextFile(path, JSON.stringify(settings), { mode: 0o600 });
  return await loadWorkerConfig(path, { platform });
}

/** @throws RunTaskError for a task that nobody resolved */
function resolutionOf(
  taskcluster: EmbeddedTaskcluster,
  { taskId, directory }: { taskId: string; directory: string },
): Pick<LocalResult, "state" | "reason"> {
  const { state, runs } = taskcluster.queue.status(taskId);
  const reason = runs.at(-1)?.reasonResolved;
  if (reason !== undefined) return { state, reason };
  throw new RunTaskError(
    `The worker gave up and left the task ${state}. ${join(directory, workerLogName)} says why`,
  );
}
