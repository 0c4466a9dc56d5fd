/** A task run for tests of features: claimed from an embedded queue, with real files, but without a worker around it. */

import { join } from "node:path";
import { errorText } from "../../src/base/error_text.ts";
import { assembleConfig } from "../../src/config/effective_settings.ts";
import { type EmbeddedTaskcluster, startEmbeddedTaskcluster } from "../../src/embedded/mod.ts";
import type { FaultSchedule, TaskSketch } from "../../src/embedded/mod.ts";
import type { TaskContext } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engine/insecure.ts";
import { TaskLog } from "../../src/log/task_log.ts";
import { createWorkerLog } from "../../src/log/worker_log.ts";
import { createPlatform } from "../../src/platform/linux/mod.ts";
import { ServiceClient } from "../../src/services/client.ts";
import { credentialsFromWire } from "../../src/services/credentials.ts";
import { Queue } from "../../src/services/queue.ts";
import type { TaskClaim } from "../../src/services/queue_types.ts";
import type { Feature } from "../../src/task/feature.ts";
import { Outcome, type Problem } from "../../src/task/outcome.ts";
import { type Payload, withDefaults } from "../../src/task/payload.ts";
import type { TaskRun } from "../../src/task/task_run.ts";
import type { WorkerContext } from "../../src/task/worker_context.ts";
import { WorkerMemory } from "../../src/task/worker_memory.ts";
import { HastyClock } from "./hasty_clock.ts";

export interface TaskRunSetup {
  readonly payload?: Partial<Payload>;
  readonly definition?: Partial<TaskSketch>;
  readonly faults?: FaultSchedule;
  /** Names that features have taken, with their features. */
  readonly reserved?: Readonly<Record<string, string>>;
  /** Replaces parts of the run's context. */
  readonly context?: (context: TaskContext) => TaskContext;
}

/** What a test has in its hands. */
export interface FakeTaskRun {
  readonly task: TaskRun;
  readonly taskcluster: EmbeddedTaskcluster;
  readonly clock: HastyClock;
  /** Everything the worker's log says so far. */
  workerLog(): string;
  /** Everything the task's log says so far. */
  taskLog(): string;
  /** Makes the run one that is not ours any more. */
  lose(): void;
}

/** Claims a task and gives it to `use`; afterwards nothing is left of it. */
export async function withTaskRun(
  setup: TaskRunSetup,
  use: (run: FakeTaskRun) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "task-run-" });
  const taskcluster = await startEmbeddedTaskcluster({ ...(setup.faults ? { faults: setup.faults } : {}) });
  try {
    const run = await claim(setup, { directory, taskcluster });
    try {
      await use(run);
    } finally {
      run.task.log.close();
    }
  } finally {
    await taskcluster.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Starts a feature and undoes it at once, as the pipeline does when nothing comes in between. */
export async function runFeature(task: TaskRun, feature: Feature): Promise<Outcome> {
  try {
    const undo = await feature.start(task);
    await undo?.(task.outcome);
  } catch (error) {
    task.outcome.add(error);
  }
  return task.outcome;
}

async function claim(
  setup: TaskRunSetup,
  { directory, taskcluster }: { directory: string; taskcluster: EmbeddedTaskcluster },
): Promise<FakeTaskRun> {
  const lines: string[] = [];
  const clock = new HastyClock();
  const worker = fakeWorker({ directory, taskcluster, clock, write: (line) => void lines.push(line) });
  taskcluster.queue.createTask({ ...setup.definition, payload: {} });
  const [claimed] = await worker.queue.claimWork(worker.credentials(), {
    taskQueueId: "local/worker",
    tasks: 1,
    workerGroup: "tests",
    workerId: "fake",
  });
  if (!claimed) throw new Error("The queue gave no task");
  const own = await worker.engine.createContext({ directoryName: "task_1" });
  const context = setup.context?.(own) ?? own;
  const privateDirectory = join(directory, "private");
  await Deno.mkdir(privateDirectory);
  const lost = new AbortController();
  const task = taskRun({ setup, worker, claimed, context, privateDirectory, lost: lost.signal });
  return {
    task,
    taskcluster,
    clock,
    workerLog: () => lines.join(""),
    taskLog: () => Deno.readTextFileSync(task.log.path),
    lose: () => lost.abort(new Error("The run was lost")),
  };
}

interface Surroundings {
  readonly directory: string;
  readonly taskcluster: EmbeddedTaskcluster;
  readonly clock: HastyClock;
  readonly write: (line: string) => void;
}

function fakeWorker({ directory, taskcluster, clock, write }: Surroundings): WorkerContext {
  const platform = createPlatform();
  const client = new ServiceClient({ rootUrl: taskcluster.rootUrl, clock });
  const log = createWorkerLog(write);
  const tasksDirectory = join(directory, "tasks");
  const config = {
    ...assembleConfig(new Map(), { engine: "insecure", os: "linux" }),
    rootURL: taskcluster.rootUrl,
    provisionerId: "local",
    workerType: "worker",
  };
  const worker: WorkerContext = {
    config,
    platform,
    memory: new WorkerMemory(() => worker),
    engine: createEngine({ platform, tasksDirectory, environment: {} }),
    clock,
    log,
    client,
    queue: new Queue(client),
    credentials: () => taskcluster.credentials,
    directory,
    tasksDirectory,
    payloadSchema: {},
    reportCrash: (where, error) => log.error(`${where}: ${errorText(error)}`),
  };
  return worker;
}

interface RunParts {
  readonly setup: TaskRunSetup;
  readonly worker: WorkerContext;
  readonly claimed: TaskClaim;
  readonly context: TaskContext;
  readonly privateDirectory: string;
  readonly lost: AbortSignal;
}

function taskRun({ setup, worker, claimed, context, privateDirectory, lost }: RunParts): TaskRun {
  const abort = new AbortController();
  let cause: Problem | undefined;
  const { taskId } = claimed.status;
  return {
    taskId,
    runId: claimed.runId,
    worker,
    workerLog: worker.log.forTask(taskId, claimed.runId),
    definition: claimed.task,
    context,
    privateDirectory,
    log: new TaskLog({ path: join(privateDirectory, "live_backing.log") }),
    ports: { liveLogPut: 0, liveLogGet: 0, interactive: 0, proxy: 0 },
    outcome: new Outcome(),
    payload: withDefaults(setup.payload ?? {}),
    scopes: claimed.task.scopes,
    featureEnvironment: new Map(),
    reservedArtifacts: new Map(Object.entries(setup.reserved ?? {})),
    published: new Map(),
    commandResults: [],
    commandWatchers: [],
    beforeResolution: [],
    outlasting: [],
    signal: abort.signal,
    get abortCause() {
      return cause;
    },
    abort(problem) {
      cause ??= problem;
      abort.abort(cause);
    },
    lostSignal: lost,
    credentials: () => credentialsFromWire(claimed.credentials),
    onCredentials: () => () => {},
  };
}
