/** One life of a worker under the bench: its config file, its process, what it used. */

import { join } from "node:path";
import { type Deployment, provisionerId } from "./deployment.ts";

/** What the worker is to do. */
export interface WorkerRunOptions {
  readonly deployment: Deployment;
  readonly workerType: string;
  readonly capacity: number;
  /** It exits after that many; 0: it runs until it is stopped. */
  readonly tasks: number;
  /** Stops a worker that takes no end of tasks. */
  readonly signal?: AbortSignal;
  /** Added to the worker's environment, which its tasks inherit. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What it used, itself and all that it started. */
export interface Usage {
  /** User and system time of the worker's own process, seconds. */
  readonly ownCpuS: number;
  /** The same with that of its ended children: the tasks' commands and what helps it. */
  readonly cpuS: number;
  /** Peak resident memory of the worker alone, MB. */
  readonly peakMemoryMB: number;
  /** Resident memory when last looked at, MB. */
  readonly memoryMB: number;
}

const sampleEveryMs = 100;
const ticksPerSecond = 100;
/** How long a stopped worker may take to end by itself. */
const endGraceMs = 15_000;

/** Runs a worker in a fresh directory until it exits. @throws Error when it does so with another code than 0 */
export async function runWorker(binary: string, options: WorkerRunOptions): Promise<Usage> {
  const directory = await Deno.makeTempDir({ prefix: "bench-worker-" });
  try {
    const config = join(directory, "config.json");
    await Deno.writeTextFile(config, JSON.stringify(settings(directory, options)));
    const log = join(directory, "log");
    const process = new Deno.Command("sh", {
      args: ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", log, binary, "run", "--config", config],
      cwd: directory,
      env: { ...options.env },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const usage = await watch(process, options.signal);
    const { code } = await process.status;
    if (code !== 0 && !options.signal?.aborted) {
      throw new Error(`Worker ${binary} exited with ${code}\n${(await Deno.readTextFile(log)).slice(-4000)}`);
    }
    return usage;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function settings(directory: string, options: WorkerRunOptions): Record<string, unknown> {
  const { deployment } = options;
  return {
    rootURL: deployment.rootUrl,
    clientId: deployment.credentials.clientId,
    accessToken: deployment.credentials.accessToken.reveal(),
    provisionerId,
    workerType: options.workerType,
    workerGroup: "bench",
    workerId: "bench",
    capacity: options.capacity,
    numberOfTasksToRun: options.tasks,
    tasksDir: join(directory, "tasks"),
    cachesDir: join(directory, "caches"),
    downloadsDir: join(directory, "downloads"),
    ed25519SigningKeyLocation: join(directory, "signing-key"),
    publicIP: "127.0.0.1",
    disableReboots: true,
  };
}

/** Samples the process until it is gone. */
async function watch(process: Deno.ChildProcess, signal: AbortSignal | undefined): Promise<Usage> {
  let usage: Usage = { ownCpuS: 0, cpuS: 0, peakMemoryMB: 0, memoryMB: 0 };
  let running = true;
  let endAtMs = Infinity;
  void process.status.then(() => running = false);
  while (running) {
    usage = sample(process.pid) ?? usage;
    if (signal?.aborted && endAtMs === Infinity) {
      process.kill("SIGTERM");
      endAtMs = Date.now() + endGraceMs;
    }
    if (Date.now() > endAtMs) process.kill("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
  }
  return usage;
}

function sample(pid: number): Usage | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const megabytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
    const memoryMB = megabytes("VmRSS");
    // Gone but not yet waited for: no memory, no times worth keeping.
    if (Number.isNaN(memoryMB)) return undefined;
    return { ...cpuSeconds(pid), peakMemoryMB: megabytes("VmHWM"), memoryMB };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** User and system time of a process, and of its children that ended (proc(5), fields 14 to 17 of stat). */
function cpuSeconds(pid: number): Pick<Usage, "ownCpuS" | "cpuS"> {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  const ownCpuS = (user + system) / ticksPerSecond;
  return { ownCpuS, cpuS: ownCpuS + (childrenUser + childrenSystem) / ticksPerSecond };
}
