/** A Taskcluster for the bench, in a process of its own so that its work is not the worker's. */

import { join } from "node:path";
import { Secret } from "../../src/base/secret.ts";
import { ServiceClient } from "../../src/services/client.ts";
import type { Credentials } from "../../src/services/credentials.ts";

/** What a bench task is: the rest of its definition is filled in. */
export interface BenchTask {
  readonly taskId: string;
  readonly workerType: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What became of a task. Times are milliseconds since 1970; NaN when it did not get so far. */
export interface TaskOutcome {
  readonly state: string;
  readonly startedMs: number;
  readonly resolvedMs: number;
}

/** The parts of a task's status that the bench reads. */
interface WireStatus {
  readonly state: string;
  readonly runs: readonly { readonly started?: string; readonly resolved?: string }[];
}

/** Provisioner of all bench tasks. */
export const provisionerId = "bench";

const backingLog = "public/logs/live_backing.log";

/** A running deployment. Disposing stops it. */
export class Deployment implements AsyncDisposable {
  readonly rootUrl: string;
  readonly credentials: Credentials;
  readonly #process: Deno.ChildProcess;
  readonly #client: ServiceClient;

  private constructor(process: Deno.ChildProcess, rootUrl: string, credentials: Credentials) {
    this.#process = process;
    this.rootUrl = rootUrl;
    this.credentials = credentials;
    this.#client = new ServiceClient({ rootUrl });
  }

  /** Starts the `local-taskcluster` of this checkout and reads from its output how to reach it. */
  static async start(root: string): Promise<Deployment> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", join(root, "main.ts"), "local-taskcluster"],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const exports = await readExports(process.stdout);
    const value = (name: string) => {
      const found = exports.get(name);
      if (found === undefined) throw new Error(`Cannot start the bench deployment: it printed no ${name}`);
      return found;
    };
    return new Deployment(process, value("TASKCLUSTER_ROOT_URL"), {
      clientId: value("TASKCLUSTER_CLIENT_ID"),
      accessToken: new Secret(value("TASKCLUSTER_ACCESS_TOKEN")),
    });
  }

  /** Creates a pending task. */
  async createTask(task: BenchTask): Promise<void> {
    const nowMs = Date.now();
    const metadata = {
      name: "bench",
      description: "bench",
      owner: "bench@localhost",
      source: "http://localhost/",
    };
    await this.#call("createTask", "PUT", ["task", task.taskId], {
      provisionerId,
      workerType: task.workerType,
      payload: task.payload,
      metadata,
      created: new Date(nowMs).toISOString(),
      deadline: new Date(nowMs + 6 * 60 * 60_000).toISOString(),
    });
  }

  /** How and when the task's last run ended, by the queue's clock. */
  async outcome(taskId: string): Promise<TaskOutcome> {
    const { status } = await this.#call<{ status: WireStatus }>("status", "GET", ["task", taskId, "status"]);
    const run = status.runs.at(-1);
    const timeMs = (text: string | undefined) => Date.parse(text ?? "");
    return { state: status.state, startedMs: timeMs(run?.started), resolvedMs: timeMs(run?.resolved) };
  }

  /** The task's log. */
  async log(taskId: string): Promise<string> {
    const url = `${this.rootUrl}/api/queue/v1/task/${taskId}/artifacts/${encodeURIComponent(backingLog)}`;
    const response = await fetch(url);
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot read the log of task ${taskId}: ${response.status} ${text}`);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.stdout.cancel();
    await this.#process.status;
  }

  #call<T>(name: string, method: "GET" | "PUT", path: readonly string[], body?: unknown): Promise<T> {
    const { credentials } = this;
    return this.#client.call<T>({ service: "queue", name, method, path, body, credentials });
  }
}

/** Reads `export NAME=VALUE` lines until three have come. */
async function readExports(stdout: ReadableStream<Uint8Array>): Promise<Map<string, string>> {
  const reader = stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  const found = () =>
    new Map([...text.matchAll(/^export (\w+)=(.*)\n/gm)].map(([, name = "", value = ""]) => [name, value]));
  while (found().size < 3) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return found();
}
