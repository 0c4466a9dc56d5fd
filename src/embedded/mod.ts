/**
 * A small Taskcluster on the loopback interface: queue, artifact store, auth, index, purge-cache, object, secrets and
 * worker-manager, for `run-task`, `local-taskcluster`, the demo, the tests and the bench.
 */

import { type Clock, systemClock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import type { Credentials } from "../services/credentials.ts";
import { FaultSchedule } from "./faults.ts";
import { Gateway, storePath } from "./gateway.ts";
import { HttpServer } from "./http/server.ts";
import type { QueueView } from "./queue_view.ts";
import { RequestLog } from "./request_log.ts";
import { createServices, type EmbeddedSettings, type Services } from "./services.ts";

export type { EmbeddedSettings } from "./services.ts";
export { type FaultEffect, type FaultRule, FaultSchedule } from "./faults.ts";
export type { RequestLog, RequestRecord } from "./request_log.ts";
export type { ListedArtifact, OpenArtifact, QueueView, TaskSketch } from "./queue_view.ts";

export interface EmbeddedOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Where artifact bytes lie; default a fresh temporary directory that goes when the services stop. */
  directory?: string;
  clock?: Clock;
  faults?: FaultSchedule;
  settings?: EmbeddedSettings;
  /** Checks the services' own answers against the reference; `bugs` lists those that fail. Default false. */
  validateAnswers?: boolean;
}

/** A running Taskcluster. */
export interface EmbeddedTaskcluster {
  /** `http://127.0.0.1:<port>` */
  readonly rootUrl: string;
  /** A client that may do everything. */
  readonly credentials: Credentials;
  /** The queue without HTTP. */
  readonly queue: QueueView;
  /** The states of the small services, for tests. */
  readonly services: Services;
  readonly requests: RequestLog;
  readonly faults: FaultSchedule;
  /** Mistakes the services made themselves: failing handlers, answers that do not fit the reference. */
  readonly bugs: readonly string[];
  /** Adds a permanent client with these scopes. */
  createClient(clientId: string, scopes: readonly string[]): Credentials;
  /** Sets the scopes of a role. */
  setRole(roleId: string, scopes: readonly string[]): void;
  /** Closes all connections, takes back all timers and removes the temporary directory. */
  stop(): Promise<void>;
}

/**
 * Starts all services on one port of 127.0.0.1.
 * @throws Deno.errors.AddrInUse for a port that is taken
 */
export async function startEmbeddedTaskcluster(options: EmbeddedOptions = {}): Promise<EmbeddedTaskcluster> {
  const { clock = systemClock, faults = new FaultSchedule(), validateAnswers = false } = options;
  const directory = options.directory ?? await Deno.makeTempDir({ prefix: "taskcluster-" });
  const requests = new RequestLog();
  const bugs: string[] = [];
  const onBug = (message: string) => void bugs.push(message);
  const rootUrl = () => `http://127.0.0.1:${server.port}`;
  const services = createServices({
    clock,
    directory,
    rootUrl,
    storeUrl: () => rootUrl() + storePath,
    validateAnswers,
    onBug,
    settings: options.settings ?? {},
  });
  const gateway = new Gateway({ clock, faults, requests, onBug, ...services });
  faults.start(clock);
  const server = new HttpServer({
    port: options.port ?? 0,
    handler: (request) => gateway.answer(request),
    dateMs: () => clock.nowMs(),
    onError: (error) => onBug(String(error)),
  });
  const { alarms, auth } = services;
  return {
    rootUrl: rootUrl(),
    credentials: credentialsOf(auth.addClient("static/taskcluster/root", ["*"])),
    queue: services.queueView,
    services,
    requests,
    faults,
    bugs,
    createClient: (clientId, scopes) => credentialsOf(auth.addClient(clientId, scopes)),
    setRole: (roleId, scopes) => auth.addRole(roleId, scopes),
    async stop() {
      alarms.stop();
      await server.stop();
      if (options.directory === undefined) await Deno.remove(directory, { recursive: true });
    },
  };
}

function credentialsOf({ clientId, accessToken }: { clientId: string; accessToken: string }): Credentials {
  return { clientId, accessToken: new Secret(accessToken) };
}
