/** The worker-manager service: pools, static workers and their registration, termination, and error reports. */

import { nice } from "slugid";
import type { Clock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { paginate, sortedBy } from "./pagination.ts";
import { bodyAs, param, timeMs } from "./request_parts.ts";
import {
  ApiError,
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  type EmbeddedService,
} from "./service.ts";
import {
  type RegisteredWorker,
  type WorkerKey,
  workerKeyText,
  type WorkerPool,
  type WorkerPoolDefinition,
  type WorkerPoolError,
  WorkerRegistry,
  type WorkerState,
} from "./worker_registry.ts";

/** Temporary credentials as API bodies carry them. */
export interface WireCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string;
}

/** A worker as the queue saw it claim; times in milliseconds since the epoch. */
export interface QueueWorker {
  readonly workerGroup: string;
  readonly workerId: string;
  readonly firstClaimMs: number;
  readonly lastActiveMs: number;
  readonly expiresMs: number;
  /** Oldest first. */
  readonly recentTasks: readonly { readonly taskId: string; readonly runId: number }[];
  readonly quarantineUntilMs?: number;
}

export interface WorkerManagerOptions {
  clock: Clock;
  /** Makes temporary credentials for a registered worker; `expiresMs` is milliseconds since the epoch. */
  issueCredentials(grant: { clientId: string; scopes: string[]; expiresMs: number }): WireCredentials;
  /** Workers the queue knows of a pool; none when absent. */
  queueWorkers?(workerPoolId: string): readonly QueueWorker[];
}

export interface WorkerManagerService extends EmbeddedService {
  /** The same state, for tests and for the parts of the same process. */
  readonly registry: WorkerRegistry;
}

/** What every handler needs. */
interface Context extends WorkerManagerOptions {
  readonly registry: WorkerRegistry;
}

/** The worker-manager service with no pools and no workers (spec 01 §12.1). */
export function createWorkerManagerService(options: WorkerManagerOptions): WorkerManagerService {
  const registry = new WorkerRegistry(options.clock);
  const context: Context = {
    clock: options.clock,
    issueCredentials: (grant) => options.issueCredentials(grant),
    queueWorkers: (workerPoolId) => options.queueWorkers?.(workerPoolId) ?? [],
    registry,
  };
  const handlers = { ...poolHandlers(context), ...workerHandlers(context), ...errorHandlers(context) };
  return { service: "worker-manager", registry, handlers };
}

/** The only provider that runs workers, and the one a deleted pool falls to. */
const providers = [
  { providerId: "null-provider", providerType: "null" },
  { providerId: "static", providerType: "static" },
];

function poolHandlers(context: Context): Record<string, ApiHandler> {
  const { registry } = context;
  return {
    listProviders: (request) => {
      const page = paginate(providers, { query: request.query, key: (provider) => provider.providerId });
      return { body: { providers: page.items, ...page.more } };
    },
    createWorkerPool: (request) => createWorkerPool(context, request),
    updateWorkerPool: (request) => updateWorkerPool(context, request),
    deleteWorkerPool: (request) => {
      const pool = requiredPool(registry, param(request, "workerPoolId"));
      registry.removePool(pool.workerPoolId);
      return { body: describePool(registry, { ...pool, providerId: "null-provider" }) };
    },
    workerPool: (request) => ({
      body: describePool(registry, requiredPool(registry, param(request, "workerPoolId"))),
    }),
    listWorkerPools: (request) => {
      const page = pageOfPools(registry, request);
      return { body: { workerPools: page.items.map((pool) => describePool(registry, pool)), ...page.more } };
    },
    listWorkerPoolsStats: (request) => {
      const page = pageOfPools(registry, request);
      const workerPoolsStats = page.items.map(({ workerPoolId }) => ({
        workerPoolId,
        ...countWorkers(registry, workerPoolId),
      }));
      return { body: { workerPoolsStats, ...page.more } };
    },
    // Static workers are not launched, so a pool has no launch configurations to list or to count.
    listWorkerPoolLaunchConfigs: () => ({ body: { workerPoolLaunchConfigs: [] } }),
    workerPoolStats: (request) => {
      requiredPool(registry, param(request, "workerPoolId"));
      return { body: { launchConfigStats: [] } };
    },
  };
}

function createWorkerPool(context: Context, request: ApiRequest): ApiResponse {
  const workerPoolId = param(request, "workerPoolId");
  const definition = checkedDefinition(request);
  if (!/^[a-zA-Z0-9_-]{1,38}\/[a-z]([a-z0-9-]{0,36}[a-z0-9])?$/.test(workerPoolId)) {
    throw new ApiError(
      400,
      "InputError",
      `Cannot create worker pool: ${workerPoolId} is not a worker pool id`,
    );
  }
  if (context.registry.pool(workerPoolId) !== undefined) {
    throw new ApiError(
      409,
      "RequestConflict",
      `Cannot create worker pool ${workerPoolId}: it exists already`,
    );
  }
  return { body: describePool(context.registry, context.registry.setPool(workerPoolId, definition)) };
}

function updateWorkerPool(context: Context, request: ApiRequest): ApiResponse {
  const { workerPoolId } = requiredPool(context.registry, param(request, "workerPoolId"));
  const definition = checkedDefinition(request);
  return { body: describePool(context.registry, context.registry.setPool(workerPoolId, definition)) };
}

function checkedDefinition(request: ApiRequest): WorkerPoolDefinition {
  const definition = bodyAs<WorkerPoolDefinition>(request);
  request.authorize({ providerId: definition.providerId });
  if (!providers.some((provider) => provider.providerId === definition.providerId)) {
    const known = providers.map((provider) => provider.providerId).join(", ");
    throw new ApiError(400, "InputError", `Unknown provider ${definition.providerId}; known are ${known}`);
  }
  return definition;
}

function workerHandlers(context: Context): Record<string, ApiHandler> {
  const { registry } = context;
  return {
    createWorker: (request) => createWorker(context, request),
    updateWorker: (request) => updateWorker(context, request),
    removeWorker: (request) => {
      registry.removeWorker(requiredWorker(registry, keyOf(request)));
      return {};
    },
    worker: (request) => ({ body: describeWorker(requiredWorker(registry, keyOf(request))) }),
    shouldWorkerTerminate: (request) => ({
      body: requiredWorker(registry, keyOf(request)).termination,
    }),
    registerWorker: (request) => registerWorker(context, request),
    reregisterWorker: (request) => reregisterWorker(context, request),
    listWorkersForWorkerPool: (request) => listWorkersForPool(registry, request),
    listWorkersForWorkerGroup: (request) => listWorkersForPool(registry, request),
    listWorkers: (request) => listSeenWorkers(context, request),
    getWorker: (request) => getSeenWorker(context, request),
  };
}

interface CreateWorkerBody {
  readonly expires: string;
  readonly capacity?: number;
  readonly providerInfo?: { readonly staticSecret?: string };
}

function createWorker(context: Context, request: ApiRequest): ApiResponse {
  const key = keyOf(request);
  requireStatic(requiredPool(context.registry, key.workerPoolId));
  if (context.registry.worker(key) !== undefined) {
    throw new ApiError(
      409,
      "RequestConflict",
      `Cannot create worker ${workerKeyText(key)}: it exists already`,
    );
  }
  const details = detailsFrom(bodyAs<CreateWorkerBody>(request));
  if (details.secret === undefined) {
    const name = workerKeyText(key);
    throw new ApiError(
      400,
      "InputError",
      `Cannot create worker ${name}: providerInfo.staticSecret is missing`,
    );
  }
  return { body: describeWorker(context.registry.setWorker(key, details)) };
}

function updateWorker(context: Context, request: ApiRequest): ApiResponse {
  const worker = requiredWorker(context.registry, keyOf(request));
  const details = detailsFrom(bodyAs<CreateWorkerBody>(request));
  return { body: describeWorker(context.registry.setWorker(worker, details)) };
}

function detailsFrom(body: CreateWorkerBody) {
  const secret = body.providerInfo?.staticSecret;
  return {
    expiresMs: timeMs(body.expires, "expires"),
    ...(body.capacity === undefined ? {} : { capacity: body.capacity }),
    ...(secret === undefined ? {} : { secret: new Secret(secret) }),
  };
}

interface RegisterBody extends WorkerKey {
  readonly providerId: string;
  readonly workerIdentityProof: { readonly staticSecret?: string };
}

function registerWorker(context: Context, request: ApiRequest): ApiResponse {
  const body = bodyAs<RegisterBody>(request);
  const pool = requiredPool(context.registry, body.workerPoolId);
  if (pool.providerId !== body.providerId) {
    const text =
      `Worker pool ${pool.workerPoolId} is provided by ${pool.providerId}, not by ${body.providerId}`;
    throw new ApiError(400, "InputError", text);
  }
  requireStatic(pool);
  const worker = requiredWorker(context.registry, body);
  if (worker.secret === undefined || worker.secret.reveal() !== body.workerIdentityProof.staticSecret) {
    const name = workerKeyText(worker);
    throw new ApiError(400, "InputError", `Cannot register worker ${name}: its identity proof is not valid`);
  }
  const workerConfig = pool.config["workerConfig"] ?? {};
  return { body: { ...admit(context, worker), workerConfig } };
}

function reregisterWorker(context: Context, request: ApiRequest): ApiResponse {
  const { secret, ...key } = bodyAs<WorkerKey & { secret: string }>(request);
  request.authorize({ ...key });
  const worker = requiredWorker(context.registry, key);
  if (worker.secret?.reveal() !== secret) {
    const name = workerKeyText(worker);
    throw new ApiError(400, "InputError", `Cannot register worker ${name} again: its secret is not valid`);
  }
  return { body: admit(context, worker) };
}

/** How long credentials of a worker last unless its pool says otherwise. */
const defaultReregistrationSecs = 345_600;

/** Fresh credentials and a fresh secret, each replacing what the worker had. */
function admit(context: Context, worker: RegisteredWorker) {
  const lifecycle = context.registry.pool(worker.workerPoolId)?.config["lifecycle"];
  const expiresMs = context.clock.nowMs() + reregistrationSecs(lifecycle) * 1000;
  const secret = nice() + nice();
  context.registry.setWorker(worker, {
    secret: new Secret(secret),
    state: "running",
    expiresMs: Math.max(worker.expiresMs, expiresMs),
  });
  const clientId = `worker/${worker.providerId}/${workerKeyText(worker)}`;
  const credentials = context.issueCredentials({ clientId, scopes: workerScopes(worker), expiresMs });
  return { credentials, expires: formatTimestamp(expiresMs), secret };
}

function reregistrationSecs(lifecycle: unknown): number {
  if (typeof lifecycle !== "object" || lifecycle === null) return defaultReregistrationSecs;
  const value = "reregistrationTimeout" in lifecycle ? lifecycle.reregistrationTimeout : undefined;
  return typeof value === "number" ? value : defaultReregistrationSecs;
}

/** What a worker may do by itself: claim, look after its own registration, and act in its pool's role. */
function workerScopes(worker: WorkerKey): string[] {
  const { workerPoolId, workerGroup, workerId } = worker;
  const name = workerKeyText(worker);
  return [
    `assume:worker-pool:${workerPoolId}`,
    `assume:worker-id:${workerGroup}/${workerId}`,
    `queue:claim-work:${workerPoolId}`,
    `queue:worker-id:${workerGroup}/${workerId}`,
    `secrets:get:worker-pool:${workerPoolId}`,
    `worker-manager:remove-worker:${name}`,
    `worker-manager:reregister-worker:${name}`,
    `worker-manager:should-worker-terminate:${name}`,
  ];
}

function listWorkersForPool(registry: WorkerRegistry, request: ApiRequest): ApiResponse {
  const group = request.params["workerGroup"];
  const state = request.query.get("state");
  // No worker here was launched, so none belongs to a launch configuration.
  const launched = request.query.get("launchConfigId") !== null;
  const wanted = registry.workers(param(request, "workerPoolId")).filter((worker) =>
    !launched && (group === undefined || worker.workerGroup === group) &&
    (state === null || worker.state === state)
  );
  const page = paginate(wanted, { query: request.query, key: workerKeyText });
  return { body: { workers: page.items.map(describeWorker), ...page.more } };
}

function listSeenWorkers(context: Context, request: ApiRequest): ApiResponse {
  const workerPoolId = seenPool(request);
  const quarantined = request.query.get("quarantined");
  const state = request.query.get("workerState");
  const wanted = seenWorkers(context, workerPoolId).filter((worker) =>
    (quarantined === null || (quarantined === "true") === isQuarantined(context, worker)) &&
    (state === null || seenState(context, workerPoolId, worker) === state)
  );
  const page = paginate(wanted, { query: request.query, key: seenKey });
  const workers = page.items.map((worker) => ({
    ...describeSeen(context, workerPoolId, worker),
    ...latestTask(worker),
  }));
  return { body: { workers, ...page.more } };
}

function getSeenWorker(context: Context, request: ApiRequest): ApiResponse {
  const workerPoolId = seenPool(request);
  const group = param(request, "workerGroup");
  const id = param(request, "workerId");
  const worker = seenWorkers(context, workerPoolId)
    .find((seen) => seen.workerGroup === group && seen.workerId === id);
  if (worker === undefined) throw notFound("Worker", `${workerPoolId}/${group}/${id}`);
  return {
    body: {
      ...describeSeen(context, workerPoolId, worker),
      provisionerId: param(request, "provisionerId"),
      workerType: param(request, "workerType"),
      recentTasks: worker.recentTasks,
      expires: formatTimestamp(worker.expiresMs),
    },
  };
}

function seenPool(request: ApiRequest): string {
  return `${param(request, "provisionerId")}/${param(request, "workerType")}`;
}

function seenWorkers(context: Context, workerPoolId: string): QueueWorker[] {
  return sortedBy(context.queueWorkers?.(workerPoolId) ?? [], seenKey);
}

function seenKey(worker: QueueWorker): string {
  return `${worker.workerGroup}/${worker.workerId}`;
}

/** A worker that claims without ever having registered is a standalone one. */
function seenState(context: Context, workerPoolId: string, worker: QueueWorker): WorkerState | "standalone" {
  return context.registry.worker({ workerPoolId, ...worker })?.state ?? "standalone";
}

function describeSeen(context: Context, workerPoolId: string, worker: QueueWorker) {
  const registered = context.registry.worker({ workerPoolId, ...worker });
  const quarantineUntilMs = worker.quarantineUntilMs;
  return {
    workerPoolId,
    workerGroup: worker.workerGroup,
    workerId: worker.workerId,
    firstClaim: formatTimestamp(worker.firstClaimMs),
    lastDateActive: formatTimestamp(worker.lastActiveMs),
    state: seenState(context, workerPoolId, worker),
    capacity: registered?.capacity ?? 0,
    ...(registered === undefined ? {} : { providerId: registered.providerId }),
    ...(quarantineUntilMs === undefined ? {} : { quarantineUntil: formatTimestamp(quarantineUntilMs) }),
  };
}

function latestTask(worker: QueueWorker) {
  const task = worker.recentTasks.at(-1);
  return task === undefined ? {} : { latestTask: task };
}

function isQuarantined(context: Context, worker: QueueWorker): boolean {
  return (worker.quarantineUntilMs ?? 0) > context.clock.nowMs();
}

function errorHandlers(context: Context): Record<string, ApiHandler> {
  const { registry } = context;
  return {
    reportWorkerError: (request) => reportWorkerError(context, request),
    listWorkerPoolErrors: (request) => {
      const errorId = request.query.get("errorId");
      const wanted = registry.errors(param(request, "workerPoolId"))
        .filter((error) => errorId === null || error.errorId === errorId)
        .filter(() => request.query.get("launchConfigId") === null);
      const page = paginate(wanted, { query: request.query, key: errorKey(wanted) });
      return { body: { workerPoolErrors: page.items.map(describeError), ...page.more } };
    },
    workerPoolErrorStats: (request) => {
      const workerPoolId = request.query.get("workerPoolId") ?? "";
      request.authorize({ workerPoolId });
      const errors = registry.errors(workerPoolId === "" ? undefined : workerPoolId);
      return { body: { workerPoolId, totals: countErrors(errors) } };
    },
  };
}

interface ErrorReport {
  readonly workerGroup: string;
  readonly workerId: string;
  readonly kind: string;
  readonly title: string;
  readonly description: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

function reportWorkerError(context: Context, request: ApiRequest): ApiResponse {
  const { workerGroup, workerId, ...report } = bodyAs<ErrorReport>(request);
  request.authorize({ workerGroup, workerId });
  const { workerPoolId } = requiredPool(context.registry, param(request, "workerPoolId"));
  const error: WorkerPoolError = {
    ...report,
    errorId: nice(),
    workerPoolId,
    reportedMs: context.clock.nowMs(),
    extra: { ...report.extra, workerGroup, workerId },
  };
  context.registry.addError(error);
  return { body: describeError(error) };
}

/** Errors are listed latest first: the key of each is its distance from the oldest, counted down. */
function errorKey(errors: readonly WorkerPoolError[]): (error: WorkerPoolError) => string {
  const ranks = new Map(errors.map((error, index) => [error.errorId, errors.length - index]));
  return (error) => String(Number.MAX_SAFE_INTEGER - (ranks.get(error.errorId) ?? 0));
}

function countErrors(errors: readonly WorkerPoolError[]) {
  return {
    total: errors.length,
    daily: countBy(errors, (error) => formatTimestamp(error.reportedMs).slice(0, 10)),
    hourly: countBy(errors, (error) => formatTimestamp(error.reportedMs).slice(0, 13)),
    title: countBy(errors, (error) => error.title),
    code: countBy(errors, (error) => typeof error.extra["code"] === "string" ? error.extra["code"] : "other"),
    launchConfig: {},
    workerPool: countBy(errors, (error) => error.workerPoolId),
  };
}

function countBy<Item>(items: readonly Item[], key: (item: Item) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function pageOfPools(registry: WorkerRegistry, request: ApiRequest) {
  return paginate(registry.pools(), { query: request.query, key: (pool) => pool.workerPoolId });
}

function keyOf(request: ApiRequest): WorkerKey {
  return {
    workerPoolId: param(request, "workerPoolId"),
    workerGroup: param(request, "workerGroup"),
    workerId: param(request, "workerId"),
  };
}

function requiredPool(registry: WorkerRegistry, workerPoolId: string): WorkerPool {
  const pool = registry.pool(workerPoolId);
  if (pool === undefined) throw notFound("Worker pool", workerPoolId);
  return pool;
}

function requiredWorker(registry: WorkerRegistry, key: WorkerKey): RegisteredWorker {
  const worker = registry.worker(key);
  if (worker === undefined) throw notFound("Worker", workerKeyText(key));
  return worker;
}

function requireStatic(pool: WorkerPool): void {
  if (pool.providerId === "static") return;
  const text = `Provider ${pool.providerId} of worker pool ${pool.workerPoolId} does not take workers`;
  throw new ApiError(400, "InputError", text);
}

function notFound(what: string, name: string): ApiError {
  return new ApiError(404, "ResourceNotFound", `${what} ${name} not found`);
}

function describePool(registry: WorkerRegistry, pool: WorkerPool) {
  const { createdMs, lastModifiedMs, ...facts } = pool;
  return {
    ...facts,
    created: formatTimestamp(createdMs),
    lastModified: formatTimestamp(lastModifiedMs),
    ...countWorkers(registry, pool.workerPoolId),
  };
}

function countWorkers(registry: WorkerRegistry, workerPoolId: string) {
  const workers = registry.workers(workerPoolId);
  const count = (state: WorkerState) => workers.filter((worker) => worker.state === state).length;
  const capacity = (...states: WorkerState[]) =>
    workers.reduce((sum, worker) => states.includes(worker.state) ? sum + worker.capacity : sum, 0);
  return {
    currentCapacity: capacity("requested", "running"),
    requestedCount: count("requested"),
    runningCount: count("running"),
    stoppingCount: count("stopping"),
    stoppedCount: count("stopped"),
    requestedCapacity: capacity("requested"),
    runningCapacity: capacity("running"),
    stoppingCapacity: capacity("stopping"),
    stoppedCapacity: capacity("stopped"),
  };
}

function describeWorker(worker: RegisteredWorker) {
  const { createdMs, lastModifiedMs, expiresMs, secret: _hidden, termination: _own, ...facts } = worker;
  return {
    ...facts,
    created: formatTimestamp(createdMs),
    expires: formatTimestamp(expiresMs),
    lastModified: formatTimestamp(lastModifiedMs),
    lastChecked: formatTimestamp(lastModifiedMs),
  };
}

function describeError({ reportedMs, ...error }: WorkerPoolError) {
  return { ...error, reported: formatTimestamp(reportedMs) };
}
