/** How a worker proves who it is and gets credentials. */

import { nice } from "slugid";
import { Secret } from "../../base/secret.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { bodyAs } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { Context } from "./context.ts";
import { requiredPool, requiredWorker, requireStatic } from "./lookup.ts";
import { type RegisteredWorker, type WorkerKey, workerKeyText } from "./registry.ts";

/** Registering, and registering again before the credentials end. */
export function registrationHandlers(context: Context): Record<string, ApiHandler> {
  return {
    registerWorker: (request) => registerWorker(context, request),
    reregisterWorker: (request) => reregisterWorker(context, request),
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
