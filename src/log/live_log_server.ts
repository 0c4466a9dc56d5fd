/**
 * Serves one task's log to any number of readers while it is written (spec 04 §2.3, §2.4).
 *
 * Each reader follows the file at its own speed (weakness LL-1): the task never waits for one, and one that stops
 * reading costs one piece of the log.
 */

import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { nice as niceSlugid } from "slugid";
import type { Clock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import type { LiveLogAddress } from "./live_log_answer.ts";
import { LiveLogConnection, type ReaderStream } from "./live_log_connection.ts";
import { LiveLogSource } from "./live_log_source.ts";
import type { TaskLog } from "./task_log.ts";

export interface LiveLogServerOptions {
  readonly log: TaskLog;
  readonly clock: Clock;
  /** How long readers may take for the rest of a log that has ended; default 5 s (weakness LF-2). */
  readonly drainMs?: number;
  /** How long a reader may take nothing of what is sent to it; default 5 min. */
  readonly stallMs?: number;
}

const defaultDrainMs = 5_000;
const defaultStallMs = 5 * 60_000;
/** Of one log; the worker needs descriptors for other things too. */
const mostConnections = 2_048;
const checkEveryMs = 1_000;

/** Serves connections that others accept. Ends by itself with the log. */
export class LiveLogServer {
  /** Whoever knows it may read the log: never to be logged (weakness LL-6). */
  readonly token: Secret;
  readonly #clock: Clock;
  readonly #source: LiveLogSource;
  readonly #address: LiveLogAddress;
  readonly #drainMs: number;
  readonly #stallMs: number;
  readonly #connections = new Set<LiveLogConnection>();
  readonly #unfollow: () => void;
  readonly #stopped = new AbortController();
  #watching: Promise<void> | undefined;
  readonly #drained = Promise.withResolvers<void>();
  #ending = false;

  /** @throws the system's error when the log can't be read */
  constructor(options: LiveLogServerOptions) {
    const token = niceSlugid();
    this.token = new Secret(token);
    this.#clock = options.clock;
    this.#source = new LiveLogSource(options.log);
    this.#address = { isToken: tokenCheck(token), etag: `"${randomUUID()}"` };
    this.#drainMs = options.drainMs ?? defaultDrainMs;
    this.#stallMs = options.stallMs ?? defaultStallMs;
    this.#unfollow = options.log.follow(() => {
      if (options.log.closed) void this.#end();
    });
    if (options.log.closed) void this.#end();
  }

  /** Where it is found below an exposure's URL. */
  get path(): Secret {
    return new Secret(`/log/${this.token.reveal()}`);
  }

  /** Settles when the log has ended and its readers have all of it, or had time enough. Never rejects. */
  get finished(): Promise<void> {
    return this.#drained.promise;
  }

  /** Readers connected now. */
  get readers(): number {
    return this.#connections.size;
  }

  /** Serves one reader and closes the stream. Never throws. */
  async serve(stream: ReaderStream): Promise<void> {
    if (this.#stopped.signal.aborted || this.#connections.size >= mostConnections) return stream.close();
    const connection = new LiveLogConnection(stream, {
      source: this.#source,
      address: this.#address,
      clock: this.#clock,
      stallMs: this.#stallMs,
    });
    this.#connections.add(connection);
    this.#watching ??= this.#watchTime();
    await connection.serve();
    this.#connections.delete(connection);
    if (this.#ending) this.#stopIfDrained();
  }

  /** Breaks off all readers at once, and settles when nothing is left of it. */
  async stop(): Promise<void> {
    this.#ending = true;
    this.#close();
    await this.#watching;
  }

  async #end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    // Readers that wait at the end of the log have it all in a moment; the rest of the worker goes on meanwhile.
    this.#stopIfDrained();
    await this.#clock.sleep(this.#drainMs, this.#stopped.signal);
    this.#close();
  }

  #stopIfDrained(): void {
    if ([...this.#connections].every(({ answered }) => answered)) this.#close();
  }

  #close(): void {
    this.#stopped.abort();
    this.#unfollow();
    for (const connection of this.#connections) connection.close();
    this.#source.close();
    this.#drained.resolve();
  }

  /** One timer for all readers, and none without. */
  async #watchTime(): Promise<void> {
    while (this.#connections.size > 0 && !this.#stopped.signal.aborted) {
      await this.#clock.sleep(checkEveryMs, this.#stopped.signal);
      for (const connection of this.#connections) connection.checkTime();
      if (this.#ending) this.#stopIfDrained();
    }
    this.#watching = undefined;
  }
}

/** Compares digests, so that neither content nor length of a wrong token shows in the time. */
function tokenCheck(token: string): (text: string) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(token);
  return (text) => timingSafeEqual(digest(text), expected);
}
