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
import type { TaskStatus } from "../../services/queue_types.ts";
import { RunLost } from "../../task/errors.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { Termination } from "../../worker/termination.ts";
import { runWorker } from "../../worker/worker.ts";
import { buildInfo } from "../build_info.ts";
import { printError, writeBytes } from "../terminal.ts";
import { loadWorkerConfig } from "../worker_config.ts";
import { localPool } from "./local_definition.ts";
import { saveArtifacts, type SavedArtifact } from "./save_artifacts.ts";
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
  readonly directory: string;
  /** The log goes to standard error, so that standard output is for the result. */
  readonly json: boolean;
}

/**
 * Starts an embedded Taskcluster and a worker for this one task.
 *
 * @throws ServiceError when the queue does not take the definition
 */
export async function runLocally(
  definition: Readonly<Record<string, unknown>>,
  options: LocalRunOptions,
): Promise<LocalResult> {
  const startedMs = performance.now();
  const taskcluster = await startEmbeddedTaskcluster();
  const workDirectory = await Deno.makeTempDir({ prefix: "run-task-worker-" });
  const platform = createPlatform();
  try {
    await Deno.mkdir(options.directory, { recursive: true });
    const taskId = await createTask(taskcluster, definition);
    await work(taskcluster, { ...options, platform, workDirectory, taskId });
    const status = taskcluster.queue.status(taskId);
    return {
      taskId,
      state: status.state,
      reason: reasonOf(status),
      durationMs: Math.round(performance.now() - startedMs),
      directory: options.directory,
      artifacts: await saveArtifacts(taskcluster.queue, { taskId, directory: options.directory }),
    };
  } finally {
    await taskcluster.stop();
    await platform.removeTree(workDirectory);
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
  readonly workDirectory: string;
  readonly taskId: string;
}

/** One worker for one task: the log goes to the terminal, the worker's own log into the folder. */
async function work(taskcluster: EmbeddedTaskcluster, options: WorkOptions): Promise<void> {
  const { platform, workDirectory, taskId } = options;
  const termination = new Termination();
  let running: TaskRun | undefined;
  const shown = terminalLog({
    write: (bytes) => writeBytes(options.json ? Deno.stderr : Deno.stdout, bytes),
    colour: !options.json && Deno.stdout.isTerminal() && !Deno.noColor,
    onStart: (task) => running = task,
  });
  const stopListening = onInterrupt(() => {
    taskcluster.queue.cancelTask(taskId);
    if (running) running.abort(new RunLost("The task was cancelled from the terminal"));
    else termination.request({ reason: "interrupted", exitCode: 71, finishTasks: false });
  }, () => platform.killEverything());
  using workerLog = await Deno.open(join(options.directory, "worker.log"), {
    write: true,
    create: true,
    truncate: true,
  });
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
    shown.finish();
    stopListening();
  }
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

/** Ctrl-C once: `cancel`; again: `kill` and leave. @returns stops listening */
function onInterrupt(cancel: () => void, kill: () => void): () => void {
  let cancelled = false;
  const handle = () => {
    if (cancelled) {
      kill();
      Deno.exit(130);
    }
    cancelled = true;
    printError("\nrun-task: cancelling the task; Ctrl-C again to leave at once\n");
    cancel();
  };
  Deno.addSignalListener("SIGINT", handle);
  Deno.addSignalListener("SIGTERM", handle);
  return () => {
    Deno.removeSignalListener("SIGINT", handle);
    Deno.removeSignalListener("SIGTERM", handle);
  };
}

function reasonOf(status: TaskStatus): string {
  return status.runs.at(-1)?.reasonResolved ?? status.state;
}
