/** Worker pools: defining, reading and counting them. */

import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate } from "../pagination.ts";
import { bodyAs, param } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { Context } from "./context.ts";
import { requiredPool } from "./lookup.ts";
import type { WorkerPool, WorkerPoolDefinition, WorkerRegistry, WorkerState } from "./registry.ts";

/** The only provider that runs workers, and the one a deleted pool falls to. */
const providers = [
  { providerId: "null-provider", providerType: "null" },
  { providerId: "static", providerType: "static" },
];

/** Everything whose route starts with a worker pool, but for its workers and errors. */
export function poolHandlers(context: Context): Record<string, ApiHandler> {
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

function pageOfPools(registry: WorkerRegistry, request: ApiRequest) {
  return paginate(registry.pools(), { query: request.query, key: (pool) => pool.workerPoolId });
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
