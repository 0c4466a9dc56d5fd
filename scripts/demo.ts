/**
 * A task's whole life, to watch: `deno task demo`. A small Taskcluster, a worker beside it, and one task that is
 * created, claimed, run, logged, published and resolved. Everything stays on this machine and is gone afterwards.
 */

import { join, resolve } from "node:path";
import { v4 as slugid } from "slugid";
import { stringify as toYaml } from "yaml";
import { hushDeprecations } from "../src/cli/hush_deprecations.ts";
import { startEmbeddedTaskcluster } from "../src/embedded/mod.ts";
import { QueueCalls } from "./demo/deployment_calls.ts";
import { followLog } from "./demo/follow_log.ts";
import { Narrator } from "./demo/narrator.ts";
import { WorkerProcess } from "./demo/worker_process.ts";

const root = resolve(import.meta.dirname ?? "", "..");
const pool = { provisionerId: "demo", workerType: "laptop" } as const;
/** Generous: the worker may have to download its packages and compile its sources first. */
const longestMs = 110_000;

const script = `
mkdir out
for i in 1 2 3 4 5; do echo "Working: step $i of 5"; sleep 0.4; done
echo "Made by task $TASK_ID, run $RUN_ID" > out/greeting.txt
uname -a > out/machine.txt
`.trimStart();

function definition(): Record<string, unknown> {
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
  return {
    ...pool,
    created: inMs(0),
    deadline: inMs(60 * 60_000),
    payload: {
      command: [["/bin/sh", "-c", 'echo "Hello from $(id -un) on $(uname -s)"'], ["/bin/sh", "-c", script]],
      maxRunTime: 60,
      artifacts: [{ type: "directory", name: "public/out", path: "out" }],
    },
    metadata: {
      name: "demo",
      description: "A task to watch",
      owner: "nobody@localhost.localdomain",
      source: "https://localhost/demo",
    },
  };
}

/** Tells the story and gives the exit code: 0 when the task completed and the worker ended in good order. */
async function main(): Promise<number> {
  hushDeprecations();
  const narrator = new Narrator();
  narrator.say("One task's life, from its creation to its resolution. It takes a few seconds.");
  const directory = await Deno.makeTempDir({ prefix: "generic-worker-demo-" });
  const taskcluster = await startEmbeddedTaskcluster();
  try {
    narrator.step(
      `A Taskcluster starts at ${taskcluster.rootUrl}`,
      "Queue, artifact store and the other services, on this machine only: nothing leaves it.",
    );
    await using worker = await startWorker({ narrator, directory, taskcluster });
    return await life({ narrator, directory, taskcluster, worker });
  } finally {
    await taskcluster.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

interface Surroundings {
  readonly narrator: Narrator;
  /** The worker's directory. */
  readonly directory: string;
  readonly taskcluster: Awaited<ReturnType<typeof startEmbeddedTaskcluster>>;
}

async function startWorker({ narrator, directory, taskcluster }: Surroundings): Promise<WorkerProcess> {
  const { rootUrl, credentials } = taskcluster;
  const worker = await WorkerProcess.start({
    root,
    directory,
    config: {
      rootURL: rootUrl,
      clientId: credentials.clientId,
      accessToken: credentials.accessToken.reveal(),
      ...pool,
      workerGroup: "demo",
      workerId: "demo-worker",
      numberOfTasksToRun: 1,
      requiredDiskSpaceMegabytes: 1,
      ed25519SigningKeyLocation: "signing.key",
      sentryProject: "",
    },
  });
  narrator.step(
    `A worker starts (process ${worker.pid})`,
    `Its config file names the Taskcluster, its credentials and the pool it works for: ${pool.provisionerId}/${pool.workerType}.\n` +
      "It asks the queue for work until there is some.",
  );
  return worker;
}

async function life(parts: Surroundings & { worker: WorkerProcess }): Promise<number> {
  const { narrator, directory, taskcluster, worker } = parts;
  const queue = new QueueCalls(taskcluster);
  const taskId = slugid();
  const task = definition();
  const timeout = AbortSignal.timeout(longestMs);
  await queue.createTask(taskId, task);
  narrator.step(
    `A task is created: ${taskId}`,
    "Anybody with the right scopes asks the queue for that (queue.createTask). Its payload says what to do:",
  );
  narrator.show(toYaml(task["payload"]));

  const run = await claimed({ taskcluster, taskId, worker, timeout });
  narrator.step(
    `The worker claims it: run ${run.runId}, as ${run.workerGroup}/${run.workerId}`,
    "From now on nobody else gets this run. The worker says in the log what it does; the rest is the task's own output:",
  );
  const ended = new AbortController();
  const following = followLog({
    tasksDirectory: join(directory, "tasks"),
    taskId,
    show: (lines) => narrator.show(lines),
    signal: ended.signal,
  });
  await taskcluster.queue.resolved(taskId, { signal: timeout });
  ended.abort();
  await following;

  await showArtifacts({ narrator, queue, taskId });
  const status = await queue.status(taskId);
  const resolution = `${status.state}/${status.runs.at(-1)?.reasonResolved}`;
  narrator.step(
    `The run is resolved: ${resolution}`,
    "Whoever waits for this task learns it from the queue, and tasks that depend on it can start.",
  );
  const exitCode = await worker.exited();
  narrator.step(
    `The worker ends with exit code ${exitCode}`,
    "Its config file told it to run one task (numberOfTasksToRun). Without that it would wait for the next one.",
  );
  narrator.say(whatNext);
  return resolution === "completed/completed" && exitCode === 0 ? 0 : 1;
}

/** Settles when a worker has claimed the task. @throws Error with the worker's log when it ends before that */
async function claimed(
  { taskcluster, taskId, worker, timeout }: Pick<Surroundings, "taskcluster"> & {
    taskId: string;
    worker: WorkerProcess;
    timeout: AbortSignal;
  },
) {
  const running = taskcluster.queue.until(taskId, ({ state }) => state !== "pending", { signal: timeout });
  const endedEarly = worker.exited().then(async (exitCode) => {
    if (taskcluster.queue.status(taskId).state !== "pending") return await running;
    throw new Error(
      `The worker ended with exit code ${exitCode} before it ran the task:\n${await worker.log()}`,
    );
  });
  const { runs } = await Promise.race([running, endedEarly]);
  return runs[0]!;
}

async function showArtifacts(
  { narrator, queue, taskId }: { narrator: Narrator; queue: QueueCalls; taskId: string },
): Promise<void> {
  narrator.step(
    "The artifacts are published",
    "The worker uploaded the files that the payload names, and the log. They outlive the worker:",
  );
  const artifacts = await queue.artifacts(taskId);
  narrator.show(artifacts.map(({ name, contentType }) => `${name}  (${contentType})`).join("\n"));
  for (const { name } of artifacts.filter(({ name }) => name.startsWith("public/out/"))) {
    const response = await fetch(queue.artifactUrl(taskId, name));
    narrator.say(`   ${name} holds:`);
    narrator.show(await response.text());
  }
}

const whatNext = `
That was all. What to try next:
   npx -y deno@2.9.6 task test       runs the tests
   npx -y deno@2.9.6 task compile    makes the program for an image: dist/generic-worker-…
   and with that program
     generic-worker run-task FILE      runs a task of your own on this machine, without a Taskcluster
     generic-worker local-taskcluster  serves a Taskcluster like this one, for the clients and workers you like
   README.md tells the rest.`;

Deno.exit(await main());
