/** What the bench measures. Each scenario runs one worker once and gives samples of its figures. */

import { v4 as slugid } from "slugid";
import type { Deployment, TaskOutcome } from "./deployment.ts";
import type { Figure } from "./figures.ts";
import { PreparedFiles } from "./prepared_files.ts";
import { runWorker, type Usage } from "./worker_run.ts";

/** What a scenario gets. */
export interface Bench {
  readonly binary: string;
  readonly deployment: Deployment;
}

/** One thing to measure, by name. */
export interface Scenario {
  readonly name: string;
  /** How often it runs when the command line does not say. */
  readonly runs: number;
  measure(bench: Bench): Promise<Figure[]>;
}

interface Workload {
  readonly capacity: number;
  readonly tasks: number;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Environment of the worker and, through it, of the tasks. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Result {
  readonly usage: Usage;
  readonly taskIds: readonly string[];
  readonly outcomes: readonly TaskOutcome[];
}

const startups = 10;
const trivialTasks = 60;
const idleSettleMs = 5000;
const idleMeasureMs = 10_000;
const maxRunTime = 3600;

/** Prints the time, which is both the first and the last output of the task. */
const sayTime = 'echo "bench-time $(date +%s%3N)"';

/** All scenarios, the quick ones first. */
export const scenarios: readonly Scenario[] = [
  { name: "start", runs: 3, measure: startUp },
  { name: "idle", runs: 1, measure: idle },
  { name: "trivial-1", runs: 3, measure: (bench) => trivial(bench, 1) },
  { name: "trivial-4", runs: 3, measure: (bench) => trivial(bench, 4) },
  { name: "log", runs: 3, measure: gigabyteOfLog },
  { name: "small-artifacts", runs: 3, measure: smallArtifacts },
  { name: "big-artifacts", runs: 1, measure: bigArtifacts },
];

async function startUp({ binary }: Bench): Promise<Figure[]> {
  const samples: number[] = [];
  for (let run = 0; run < startups; run++) {
    const startedAtMs = performance.now();
    await new Deno.Command(binary, { args: ["--version"], stdout: "null", stderr: "null" }).output();
    samples.push(performance.now() - startedAtMs);
  }
  return [{ name: "`--version`, start to end", unit: "ms", samples }];
}

async function idle({ binary, deployment }: Bench): Promise<Figure[]> {
  const measure = async (durationMs: number) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), durationMs);
    const options = { deployment, workerType: workerType(), capacity: 1, tasks: 0, signal: stop.signal };
    try {
      return await runWorker(binary, options);
    } finally {
      clearTimeout(timer);
    }
  };
  const short = await measure(idleSettleMs);
  const long = await measure(idleSettleMs + idleMeasureMs);
  return [
    { name: "idle, resident memory", unit: "MB", samples: [long.memoryMB] },
    { name: "idle, CPU in 10 s", unit: "s", samples: [Math.max(0, long.cpuS - short.cpuS)] },
  ];
}

async function trivial(bench: Bench, capacity: number): Promise<Figure[]> {
  const result = await runTasks(bench, { capacity, tasks: trivialTasks, payload: shell(sayTime) });
  const { outcomes, usage } = result;
  const outputs = await Promise.all(result.taskIds.map((taskId) => timesInLog(bench, taskId)));
  const firstMs = Math.min(...outcomes.map(({ startedMs }) => startedMs));
  const lastMs = Math.max(...outcomes.map(({ resolvedMs }) => resolvedMs));
  const label = `trivial tasks, capacity ${capacity}`;
  const toFirstOutput = outcomes.map(({ startedMs }, index) => (outputs[index]?.firstMs ?? NaN) - startedMs);
  const fromLastOutput = outcomes.map(({ resolvedMs }, index) =>
    resolvedMs - (outputs[index]?.lastMs ?? NaN)
  );
  const toResolved = outcomes.map(({ startedMs, resolvedMs }) => resolvedMs - startedMs);
  return [
    { name: label, unit: "tasks/s", samples: [trivialTasks / (lastMs - firstMs) * 1000] },
    { name: `${label}: claim to first output`, unit: "ms", samples: toFirstOutput },
    { name: `${label}: last output to resolved`, unit: "ms", samples: fromLastOutput },
    { name: `${label}: claim to resolved`, unit: "ms", samples: toResolved },
    {
      name: `${label}: CPU of the worker a task`,
      unit: "ms",
      samples: [usage.ownCpuS / trivialTasks * 1000],
    },
    { name: `${label}: CPU of worker and task`, unit: "ms", samples: [usage.cpuS / trivialTasks * 1000] },
    peakMemory(label, usage),
  ];
}

async function gigabyteOfLog(bench: Bench): Promise<Figure[]> {
  const line = "x".repeat(99);
  const payload = shell(`yes ${line} | head -c 1000000000`);
  return wholeTask("1 GB of log", await runTasks(bench, { capacity: 1, tasks: 1, payload }));
}

async function smallArtifacts(bench: Bench): Promise<Figure[]> {
  await using files = await PreparedFiles.make({ count: 1000, sizeBytes: 10 * 1024 });
  const payload = {
    ...shell(`cp -r "$${PreparedFiles.variable}" out`),
    artifacts: [{ type: "directory", path: "out", name: "public/out" }],
  };
  const result = await runTasks(bench, { capacity: 1, tasks: 1, payload, env: files.env });
  return wholeTask("1000 artifacts of 10 KB", result);
}

async function bigArtifacts(bench: Bench): Promise<Figure[]> {
  await using files = await PreparedFiles.make({ count: 4, sizeBytes: 1024 ** 3 });
  const artifacts = files.names.map((name) => ({
    type: "file",
    path: `out/${name}`,
    name: `public/${name}`,
  }));
  const payload = { ...shell(`cp -rl "$${PreparedFiles.variable}" out; ${sayTime}`), artifacts };
  const result = await runTasks(bench, { capacity: 1, tasks: 1, payload, env: files.env });
  const [taskId = ""] = result.taskIds;
  const { lastMs } = await timesInLog(bench, taskId);
  const resolvedMs = result.outcomes[0]?.resolvedMs ?? NaN;
  const label = "4 artifacts of 1 GiB";
  return [
    { name: `${label}: last output to resolved`, unit: "s", samples: [(resolvedMs - lastMs) / 1000] },
    ...wholeTask(label, result).slice(1),
  ];
}

function wholeTask(label: string, { outcomes, usage }: Result): Figure[] {
  const durationsS = outcomes.map(({ startedMs, resolvedMs }) => (resolvedMs - startedMs) / 1000);
  return [
    { name: label, unit: "s", samples: durationsS },
    { name: `${label}: CPU of the worker`, unit: "s", samples: [usage.ownCpuS] },
    { name: `${label}: CPU of worker and task`, unit: "s", samples: [usage.cpuS] },
    peakMemory(label, usage),
  ];
}

function peakMemory(label: string, usage: Usage): Figure {
  return { name: `${label}: peak memory of the worker`, unit: "MB", samples: [usage.peakMemoryMB] };
}

/** Creates the tasks, runs a worker until it did them all, and checks that every one completed. */
async function runTasks({ binary, deployment }: Bench, workload: Workload): Promise<Result> {
  const type = workerType();
  const taskIds = Array.from({ length: workload.tasks }, () => slugid());
  for (const taskId of taskIds) {
    await deployment.createTask({ taskId, workerType: type, payload: workload.payload });
  }
  const { capacity, tasks, env = {} } = workload;
  const usage = await runWorker(binary, { deployment, workerType: type, capacity, tasks, env });
  const outcomes = await Promise.all(taskIds.map((taskId) => deployment.outcome(taskId)));
  const unfinished = outcomes.find(({ state }) => state !== "completed");
  if (unfinished) throw new Error(`A task of the bench ended as ${unfinished.state} instead of completed`);
  return { usage, taskIds, outcomes };
}

/** A pool of its own for every run, so that no run meets another one's tasks. */
function workerType(): string {
  return `bench-${crypto.randomUUID().slice(0, 8)}`;
}

function shell(script: string): Record<string, unknown> {
  return { command: [["bash", "-c", script]], maxRunTime };
}

async function timesInLog(
  { deployment }: Bench,
  taskId: string,
): Promise<{ firstMs: number; lastMs: number }> {
  const times = [...(await deployment.log(taskId)).matchAll(/^bench-time (\d+)$/gm)].map(([, time]) =>
    Number(time)
  );
  return { firstMs: times.at(0) ?? NaN, lastMs: times.at(-1) ?? NaN };
}
