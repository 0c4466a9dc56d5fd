/** Finds what a request of worker-manager is about, or answers that it does not exist. */

import { param } from "../request_parts.ts";
import { ApiError, type ApiRequest } from "../service.ts";
import {
  type RegisteredWorker,
  type WorkerKey,
  workerKeyText,
  type WorkerPool,
  type WorkerRegistry,
} from "./registry.ts";

/** The worker that the URL names. */
export function keyOf(request: ApiRequest): WorkerKey {
  return {
    workerPoolId: param(request, "workerPoolId"),
    workerGroup: param(request, "workerGroup"),
    workerId: param(request, "workerId"),
  };
}

/** @throws ApiError ResourceNotFound */
export function requiredPool(registry: WorkerRegistry, workerPoolId: string): WorkerPool {
  const pool = registry.pool(workerPoolId);
  if (pool === undefined) throw notFound("Worker pool", workerPoolId);
  return pool;
}

/** @throws ApiError ResourceNotFound */
export function requiredWorker(registry: WorkerRegistry, key: WorkerKey): RegisteredWorker {
  const worker = registry.worker(key);
  if (worker === undefined) throw notFound("Worker", workerKeyText(key));
  return worker;
}

/** @throws ApiError InputError when workers of the pool are not declared by hand */
export function requireStatic(pool: WorkerPool): void {
  if (pool.providerId === "static") return;
  const text = `Provider ${pool.providerId} of worker pool ${pool.workerPoolId} does not take workers`;
  throw new ApiError(400, "InputError", text);
}

/** The refusal for a name that nothing has. */
export function notFound(what: string, name: string): ApiError {
  return new ApiError(404, "ResourceNotFound", `${what} ${name} not found`);
}
