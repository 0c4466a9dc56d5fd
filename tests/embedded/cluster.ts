/** An embedded Taskcluster for tests, on a clock they move, and calls of it by the names of the API reference. */

import { strict as assert } from "node:assert";
import { client as hawk } from "hawk";
import { v4 as slugid } from "slugid";
import { serviceReferences } from "../../src/embedded/api_reference.ts";
import {
  type EmbeddedOptions,
  type EmbeddedTaskcluster,
  startEmbeddedTaskcluster,
} from "../../src/embedded/mod.ts";
import { type Credentials, credentialsFromWire } from "../../src/services/credentials.ts";
import { hawkExtension } from "../../src/services/client.ts";
import { ServiceClock } from "./service_clock.ts";

export { slugid };

export interface ClusterCall {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  body?: unknown;
  /** Default the root client; null: no signature. */
  as?: Credentials | null;
  authorizedScopes?: readonly string[];
  signal?: AbortSignal;
}

/** What came back; the body is of the type the test says it expects. */
export interface ClusterAnswer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** The body of every refusal. */
export interface RefusalBody {
  readonly code: string;
  readonly message: string;
  readonly requestInfo: {
    readonly method: string;
    readonly params: JsonObject;
    readonly payload: JsonObject;
  };
}

/** Notices when something begins to wait, so that tests know when to move time. */
export class ObservedClock extends ServiceClock {
  #waiting: { readonly durationMs: number; readonly seen: () => void }[] = [];

  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const sleep = super.sleep(durationMs, signal);
    for (const waiter of this.#waiting) if (waiter.durationMs === durationMs) waiter.seen();
    this.#waiting = this.#waiting.filter((waiter) => waiter.durationMs !== durationMs);
    return sleep;
  }

  /** Resolves when the next sleep of exactly this length begins. */
  nextSleep(durationMs: number): Promise<void> {
    return new Promise((seen) => this.#waiting.push({ durationMs, seen }));
  }
}

/** A running cluster; ends with the test, and fails it when a service made a mistake of its own. */
export class Cluster implements AsyncDisposable {
  readonly tc: EmbeddedTaskcluster;
  readonly clock: ObservedClock;
  #forgiving = false;
  /** A fresh connection for each call: on one used before, `fetch` repeats calls that got no answer by itself. */
  readonly #client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

  private constructor(tc: EmbeddedTaskcluster, clock: ObservedClock) {
    this.tc = tc;
    this.clock = clock;
  }

  /** claimWork does not wait unless the settings say so. */
  static async start(options: Omit<EmbeddedOptions, "clock"> = {}): Promise<Cluster> {
    const clock = new ObservedClock();
    const settings = { longPollMs: 0, ...options.settings };
    const tc = await startEmbeddedTaskcluster({ ...options, settings, clock, validateAnswers: true });
    return new Cluster(tc, clock);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.tc.stop();
    if (!this.#forgiving) assert.deepEqual(this.tc.bugs, []);
  }

  /** The services' mistakes so far; none will fail the test from now on. */
  expectedBugs(): readonly string[] {
    this.#forgiving = true;
    return this.tc.bugs;
  }

  /** Calls `service.entry`. */
  async call<Body = JsonObject>(name: string, call: ClusterCall = {}): Promise<ClusterAnswer<Body>> {
    const [service = "", entryName = ""] = name.split(".");
    const entry = serviceReferences.find(({ serviceName }) => serviceName === service)?.entries
      .find((candidate) => candidate.name === entryName);
    assert.ok(entry, `the reference has ${name}`);
    const path = entry.route.replaceAll(/<([^>]+)>/g, (_, key: string) => {
      const value = call.params?.[key];
      assert.ok(value !== undefined, `${name} needs ${key}`);
      return encodeURIComponent(value);
    });
    const query = call.query ? `?${new URLSearchParams(call.query)}` : "";
    return await this.request<Body>(entry.method.toUpperCase(), `/api/${service}/v1${path}${query}`, call);
  }

  async request<Body = JsonObject>(
    method: string,
    path: string,
    call: ClusterCall = {},
  ): Promise<ClusterAnswer<Body>> {
    const url = this.tc.rootUrl + path;
    const headers: Record<string, string> = {};
    const credentials = call.as === undefined ? this.tc.credentials : call.as;
    if (credentials) headers["authorization"] = this.sign(method, url, { credentials, ...call });
    if (call.body !== undefined) headers["content-type"] = "application/json";
    const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
    const signal = call.signal ? { signal: call.signal } : {};
    const client = this.#client;
    const response = await fetch(url, { method, headers, redirect: "manual", client, ...body, ...signal });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
  }

  sign(
    method: string,
    url: string,
    options: { credentials: Credentials; authorizedScopes?: readonly string[]; timestampMs?: number },
  ): string {
    const { clientId, accessToken } = options.credentials;
    const ext = hawkExtension(options.credentials, options.authorizedScopes);
    return hawk.header(url, method, {
      credentials: { id: clientId, key: accessToken.reveal(), algorithm: "sha256" },
      timestamp: Math.floor((options.timestampMs ?? this.clock.nowMs()) / 1000),
      ...(ext === undefined ? {} : { ext }),
    }).header;
  }

  /** The answer's body. @throws AssertionError for a refusal */
  async ok<Body = JsonObject>(name: string, call: ClusterCall = {}): Promise<Body> {
    const { status, body } = await this.call<Body>(name, call);
    assert.ok(status < 400, `${name}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Status and code of the refusal that the call must meet. */
  async refusal(name: string, call: ClusterCall = {}): Promise<string> {
    const { status, body } = await this.call<RefusalBody>(name, call);
    assert.ok(status >= 400, `${name} was not refused: ${JSON.stringify(body)}`);
    return `${status} ${body.code}`;
  }

  /** A definition of a task, created now. */
  definition(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    return {
      taskQueueId: "prov/type",
      created: this.clock.timestamp(),
      deadline: this.clock.timestamp(60 * 60_000),
      payload: {},
      metadata: { name: "n", description: "d", owner: "o@example.com", source: "https://example.com/" },
      ...changes,
    };
  }

  /** Creates a task. @returns its id */
  async create(changes: Readonly<Record<string, unknown>> = {}, taskId: string = slugid()): Promise<string> {
    await this.ok("queue.createTask", { params: { taskId }, body: this.definition(changes) });
    return taskId;
  }

  /** Claims up to `tasks` runs of `prov/type`. */
  async claim(tasks = 1): Promise<Claim[]> {
    const { tasks: claims } = await this.ok<{ tasks: WireClaim[] }>("queue.claimWork", {
      params: { taskQueueId: "prov/type" },
      body: { tasks, workerGroup: "group", workerId: "worker" },
    });
    return claims.map((claim) => ({
      taskId: claim.status.taskId,
      run: { taskId: claim.status.taskId, runId: String(claim.runId) },
      takenUntil: claim.takenUntil,
      as: credentialsFromWire(claim.credentials),
    }));
  }

  /** The only claim there is. */
  async claimOne(): Promise<Claim> {
    const [claim, ...others] = await this.claim();
    assert.ok(claim, "there is a task to claim");
    assert.equal(others.length, 0);
    return claim;
  }

  /** State and reason of each run, e.g. `exception/canceled`, and of the task. */
  story(taskId: string): string {
    const { runs, state } = this.tc.queue.status(taskId);
    const told = runs.map((run) => run.reasonResolved ? `${run.state}/${run.reasonResolved}` : run.state);
    return [...told, state].join(" ");
  }
}

interface WireClaim {
  readonly status: { readonly taskId: string };
  readonly runId: number;
  readonly takenUntil: string;
  readonly credentials: {
    readonly clientId: string;
    readonly accessToken: string;
    readonly certificate: string;
  };
}

export interface Claim {
  readonly taskId: string;
  /** Parameters of entries about the run. */
  readonly run: { readonly taskId: string; readonly runId: string };
  readonly takenUntil: string;
  readonly as: Credentials;
}
