/** Asks the purge-cache service which caches must go (spec 03 §6.11). */

import { poolId } from "../../task/not_enabled.ts";
import type { WorkerContext } from "../../task/worker_context.ts";
import { purgeRequests } from "../../services/purge_cache.ts";
import { type CacheEntry, timeOf } from "./cache_entry.ts";

/** Without a writable cache to mount, it is enough to ask this often. */
const askEveryMs = 6 * 60 * 60_000;
/** Clocks may differ by this much. */
const clockDriftMs = 5 * 60_000;
/** A service that is away must not hold up tasks for long (weakness W-37). */
const retryForMs = 15_000;

/** All caches of that name made before that time must go. */
export interface Purge {
  readonly cacheName: string;
  readonly beforeMs: number;
}

export class PurgePoll {
  readonly #worker: WorkerContext;
  #askedMs: number | undefined;
  /** For each name the latest request that was obeyed, and when. */
  readonly #obeyed = new Map<string, { beforeMs: number; atMs: number }>();

  constructor(worker: WorkerContext) {
    this.#worker = worker;
  }

  /** Is it time to ask, for a task that mounts writable caches or not? */
  isDue({ mountsCaches }: { mountsCaches: boolean }): boolean {
    if (mountsCaches || this.#askedMs === undefined) return true;
    return this.#worker.clock.nowMs() - this.#askedMs >= askEveryMs;
  }

  /**
   * The requests since the last time the service answered: one that did not leaves no gap (weakness W-36).
   *
   * @throws ServiceError, or the signal's reason
   */
  async ask(signal: AbortSignal): Promise<Purge[]> {
    const { client, config, credentials, clock } = this.#worker;
    const askedMs = clock.nowMs();
    const requests = await purgeRequests(client, {
      workerPoolId: poolId(config),
      credentials: () => credentials(),
      signal,
      retryForMs,
      ...(this.#askedMs === undefined ? {} : { sinceMs: this.#askedMs - clockDriftMs }),
    });
    this.#askedMs = askedMs;
    return requests.map(({ cacheName, before }) => ({ cacheName, beforeMs: Date.parse(before) }));
  }

  /**
   * Which of the entries of a request's name it is about. A request comes again for a while, so what was made after
   * it was obeyed is left in peace.
   */
  concerned({ cacheName, beforeMs }: Purge, entries: readonly CacheEntry[]): CacheEntry[] {
    const before = this.#obeyed.get(cacheName);
    const obeyedMs = before?.beforeMs === beforeMs ? before.atMs : undefined;
    if (obeyedMs === undefined) this.#obeyed.set(cacheName, { beforeMs, atMs: this.#worker.clock.nowMs() });
    return entries.filter(({ created }) =>
      timeOf(created) < Math.min(beforeMs + clockDriftMs, obeyedMs ?? Infinity)
    );
  }
}
