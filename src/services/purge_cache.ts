/** The purge-cache service as the worker sees it (spec 03 §6.11). */

import type { ServiceClient } from "./client.ts";
import type { CredentialsSource } from "./credentials.ts";
import type { CallOptions } from "./queue.ts";

/** Caches of this name that were made before this time must go. */
export interface PurgeRequest {
  readonly cacheName: string;
  /** Timestamp. */
  readonly before: string;
}

/**
 * The purge requests for a worker pool, only those made since `sinceMs` (since the epoch) when it is given.
 *
 * @throws ServiceError, or the signal's reason
 */
export async function purgeRequests(
  client: ServiceClient,
  request: { workerPoolId: string; sinceMs?: number; credentials: CredentialsSource } & CallOptions,
): Promise<readonly PurgeRequest[]> {
  const { workerPoolId, sinceMs, ...rest } = request;
  const answer = await client.call<{ requests: PurgeRequest[] }>({
    ...rest,
    service: "purge-cache",
    name: "purgeRequests",
    method: "GET",
    path: ["purge-cache", workerPoolId],
    ...(sinceMs === undefined ? {} : { query: { since: new Date(sinceMs).toISOString() } }),
  });
  return answer.requests;
}
