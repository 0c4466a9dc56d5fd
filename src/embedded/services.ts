/** Puts the services together: each gets what it needs of the others. */

import { client as hawk } from "hawk";
import type { Clock } from "../base/clock.ts";
import { Alarms } from "./alarms.ts";
import { Api } from "./api.ts";
import { serviceReferences } from "./api_reference.ts";
import { Authenticator } from "./auth/authenticator.ts";
import { Directory } from "./auth/directory.ts";
import { createAuthService } from "./auth/service.ts";
import { issueTemporaryCredentials } from "./auth/temporary_credentials.ts";
import { anonymousScopes } from "./default_roles.ts";
import { createIndexService, type IndexService } from "./index.ts";
import { indexCompletedTask } from "./index_routes.ts";
import { createObjectService, type ObjectService } from "./object.ts";
import { objectBucket } from "./object_bucket.ts";
import { createPurgeCacheService, type PurgeCacheService } from "./purge_cache.ts";
import { artifactBuckets, Artifacts } from "./queue/artifacts.ts";
import { LifeCycle } from "./queue/life_cycle.ts";
import { Queue } from "./queue/queue.ts";
import { createQueueService } from "./queue/service.ts";
import { Workers } from "./queue/workers.ts";
import { QueueView, TaskChanges } from "./queue_view.ts";
import { Router } from "./router.ts";
import { SchemaValidator } from "./schema_validator.ts";
import { createSecretsService, type SecretsService } from "./secrets.ts";
import { ArtifactStore } from "./store.ts";
import { createWorkerManagerService, type WorkerManagerService } from "./worker_manager.ts";

const minuteMs = 60_000;

/** Durations of the deployment, milliseconds; what is left out is as in real ones. */
export interface EmbeddedSettings {
  /** How long a claim lasts. Default 20 minutes. */
  claimTimeoutMs?: number;
  /** How long claimWork waits for work. Default 20 seconds. */
  longPollMs?: number;
  /** How long a URL to upload to is valid. Default 45 minutes. */
  putUrlValidMs?: number;
  /** How long after its deadline a task is resolved. Default one minute. */
  deadlineDelayMs?: number;
  /** Where `auth.sentryDSN` points to. Default: the entry answers 404. */
  sentryUrl?: string;
  /** What websocktunnel tokens are signed with. Default: the entry answers 404. */
  websocktunnelSecret?: string;
}

export interface ServicesOptions {
  readonly clock: Clock;
  /** For artifact bytes. */
  readonly directory: string;
  readonly rootUrl: () => string;
  readonly storeUrl: () => string;
  readonly settings: EmbeddedSettings;
  readonly validateAnswers: boolean;
  readonly onBug: (message: string) => void;
}

/** Everything behind the HTTP door. */
export interface Services {
  readonly alarms: Alarms;
  readonly api: Api;
  readonly auth: Directory;
  readonly index: IndexService;
  readonly object: ObjectService;
  readonly purgeCache: PurgeCacheService;
  readonly queueView: QueueView;
  readonly router: Router;
  readonly secrets: SecretsService;
  readonly store: ArtifactStore;
  readonly workerManager: WorkerManagerService;
}

/** Builds all services, empty. */
export function createServices(options: ServicesOptions): Services {
  const { clock, settings } = options;
  const alarms = new Alarms(clock);
  const auth = new Directory(clock);
  auth.addRole("anonymous", anonymousScopes);
  const issuer = new Issuer(auth, clock);
  const store = createStore(options);
  const object = createObjectService({ clock, store: objectBucket(store) });
  const changes = new TaskChanges();
  const { queue, workers } = createQueue({ ...options, alarms, changes, issuer, object, store });
  const index = createIndexService({
    clock,
    artifactUrl: (artifact) => artifactUrl(artifact, issuer, options),
  });
  changes.listen((task) => indexCompletedTask(index.tasks, task));
  const purgeCache = createPurgeCacheService({ clock });
  const secrets = createSecretsService({ clock });
  const workerManager = createWorkerManagerService({
    clock,
    issueCredentials: ({ clientId, scopes, expiresMs }) =>
      issuer.issue(clientId, scopes, { expiryMs: expiresMs }),
    queueWorkers: (workerPoolId) => workers.list(workerPoolId),
  });
  const authenticator = new Authenticator({ clock, directory: auth });
  const authService = createAuthService({ ...settings, clock, directory: auth, authenticator });
  const { validateAnswers, onBug } = options;
  const services = [
    authService,
    createQueueService(queue),
    index,
    object,
    purgeCache,
    secrets,
    workerManager,
  ];
  const api = new Api({
    clock,
    services,
    authenticator,
    validator: new SchemaValidator(),
    validateAnswers,
    onBug,
  });
  return {
    alarms,
    api,
    auth,
    index,
    object,
    purgeCache,
    queueView: new QueueView(queue, store, changes),
    router: new Router(serviceReferences),
    secrets,
    store,
    workerManager,
  };
}

function createStore({ clock, directory, storeUrl }: ServicesOptions): ArtifactStore {
  return new ArtifactStore({
    clock,
    directory,
    baseUrl: storeUrl,
    publicBuckets: new Set([artifactBuckets.public]),
  });
}

interface QueueParts extends ServicesOptions {
  readonly alarms: Alarms;
  readonly changes: TaskChanges;
  readonly issuer: Issuer;
  readonly object: ObjectService;
  readonly store: ArtifactStore;
}

function createQueue(parts: QueueParts): { queue: Queue; workers: Workers } {
  const { clock, settings, alarms, changes, issuer, object, store } = parts;
  const issueCredentials: Issuer["issue"] = (...grant) => issuer.issue(...grant);
  const lifeCycle = new LifeCycle({
    clock,
    alarms,
    claimTimeoutMs: settings.claimTimeoutMs ?? 20 * minuteMs,
    deadlineDelayMs: settings.deadlineDelayMs ?? minuteMs,
    onChange: (record) => changes.announce(record),
  });
  const artifacts = new Artifacts({
    clock,
    store,
    objects: object.objects,
    putUrlValidMs: settings.putUrlValidMs ?? 45 * minuteMs,
    issueCredentials,
    signedDownloadUrl: (name) =>
      issuer.signedUrl(`${parts.rootUrl()}/api/object/v1/download/${encodeURIComponent(name)}`),
  });
  const workers = new Workers(clock);
  const longPollMs = settings.longPollMs ?? 20_000;
  const queue = new Queue({ clock, lifeCycle, artifacts, workers, longPollMs, issueCredentials });
  return { queue, workers };
}

/** Signed when the artifact is private: the index has checked the caller's scope, and a redirect carries none. */
function artifactUrl(
  { taskId, name }: { taskId: string; name: string },
  issuer: Issuer,
  { rootUrl }: ServicesOptions,
): string {
  const url = `${rootUrl()}/api/queue/v1/task/${taskId}/artifacts/${encodeURIComponent(name)}`;
  return name.startsWith("public/") ? url : issuer.signedUrl(url);
}

/** The services' own client: signs URLs and temporary credentials. */
class Issuer {
  readonly #clock: Clock;
  readonly #client: { readonly clientId: string; readonly accessToken: string };

  constructor(directory: Directory, clock: Clock) {
    this.#clock = clock;
    this.#client = directory.addClient("static/taskcluster/services", ["*"]);
  }

  /** Valid from a quarter of an hour ago, for clients whose clock is behind. */
  issue(clientId: string, scopes: readonly string[], { expiryMs }: { expiryMs: number }) {
    const startMs = this.#clock.nowMs() - 15 * minuteMs;
    return issueTemporaryCredentials({ issuer: this.#client, clientId, scopes, startMs, expiryMs });
  }

  /** A URL that anybody may GET for fifteen minutes. */
  signedUrl(url: string): string {
    const bewit = hawk.getBewit(url, {
      credentials: { id: this.#client.clientId, key: this.#client.accessToken, algorithm: "sha256" },
      ttlSec: 15 * 60,
      localtimeOffsetMsec: this.#clock.nowMs() - Date.now(),
    });
    return `${url}?bewit=${bewit}`;
  }
}
