/** The purge-cache service: which caches of which worker pools must be thrown away. */

import type { Clock } from "../base/clock.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { paginate, sortedBy } from "./pagination.ts";
import { bodyAs, param, timeMs } from "./request_parts.ts";
import { ApiError, type ApiRequest, type ApiResponse, type EmbeddedService } from "./service.ts";

/** How long a request is handed out: workers poll often, and a cache older than a day has met it. */
const lifeMs = 24 * 60 * 60 * 1000;

/** Caches of this name and pool created before `beforeMs` (since the epoch) must go. */
export interface PurgeRequest {
  readonly workerPoolId: string;
  readonly cacheName: string;
  readonly beforeMs: number;
}

/** The open purge requests: at most one per pool and cache, the latest. */
export class PurgeRequests {
  readonly #clock: Clock;
  readonly #requests = new Map<string, PurgeRequest>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks for all caches `cacheName` of the pool that exist now to go. */
  purge(workerPoolId: string, cacheName: string): void {
    const request = { workerPoolId, cacheName, beforeMs: this.#clock.nowMs() };
    this.#requests.set(requestKey(request), request);
  }

  /** Open requests sorted by pool and cache; with `sinceMs` only those made at that time or later. */
  list(filter: { workerPoolId?: string; sinceMs?: number } = {}): PurgeRequest[] {
    this.#forgetOld();
    const wanted = [...this.#requests.values()].filter((request) =>
      (filter.workerPoolId === undefined || request.workerPoolId === filter.workerPoolId) &&
      (filter.sinceMs === undefined || request.beforeMs >= filter.sinceMs)
    );
    return sortedBy(wanted, requestKey);
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.nowMs() - lifeMs;
    for (const [key, request] of this.#requests) {
      if (request.beforeMs <= oldestMs) this.#requests.delete(key);
    }
  }
}

export interface PurgeCacheService extends EmbeddedService {
  /** The same state, for tests and for the parts of the same process. */
  readonly requests: PurgeRequests;
}

/** The purge-cache service (spec 03 §6.11) with no open requests. */
export function createPurgeCacheService(options: { clock: Clock }): PurgeCacheService {
  const requests = new PurgeRequests(options.clock);
  return {
    service: "purge-cache",
    requests,
    handlers: {
      purgeCache: (request) => purgeCache(requests, request),
      purgeRequests: (request) => purgeRequests(requests, request),
      allPurgeRequests: (request) => allPurgeRequests(requests, request),
    },
  };
}

function purgeCache(requests: PurgeRequests, request: ApiRequest): ApiResponse {
  const { cacheName } = bodyAs<{ cacheName: string }>(request);
  request.authorize({ cacheName });
  requests.purge(poolOf(request), cacheName);
  return {};
}

function purgeRequests(requests: PurgeRequests, request: ApiRequest): ApiResponse {
  const since = request.query.get("since");
  const found = requests.list({
    workerPoolId: poolOf(request),
    ...(since === null ? {} : { sinceMs: timeMs(since, "query parameter since") }),
  });
  return { body: { requests: found.map(describe) } };
}

function allPurgeRequests(requests: PurgeRequests, request: ApiRequest): ApiResponse {
  const page = paginate(requests.list(), { query: request.query, key: requestKey });
  return { body: { requests: page.items.map(describe), ...page.more } };
}

function poolOf(request: ApiRequest): string {
  const workerPoolId = param(request, "workerPoolId");
  if (!/^[a-zA-Z0-9_-]{1,38}\/[a-zA-Z0-9_-]{1,38}$/.test(workerPoolId)) {
    throw new ApiError(
      400,
      "InvalidRequestArguments",
      `Invalid worker pool id: ${workerPoolId} is not <provisionerId>/<workerType>`,
    );
  }
  return workerPoolId;
}

function requestKey(request: PurgeRequest): string {
  return `${request.workerPoolId}\n${request.cacheName}`;
}

function describe(request: PurgeRequest) {
  const [provisionerId, workerType] = request.workerPoolId.split("/");
  return {
    provisionerId,
    workerType,
    cacheName: request.cacheName,
    before: formatTimestamp(request.beforeMs),
  };
}
