/** Workers as their owner declares them: creating, reading, listing and removing them. */

import { Secret } from "../../base/secret.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate } from "../pagination.ts";
import { bodyAs, param, timeMs } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { Context } from "./context.ts";
import { keyOf, requiredPool, requiredWorker, requireStatic } from "./lookup.ts";
import { type RegisteredWorker, workerKeyText, type WorkerRegistry } from "./registry.ts";

/** What owners declare about workers, and whether a worker should go on. */
export function workerHandlers(context: Context): Record<string, ApiHandler> {
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
    listWorkersForWorkerPool: (request) => listWorkersForPool(registry, request),
    listWorkersForWorkerGroup: (request) => listWorkersForPool(registry, request),
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
