/** How long the worker has had nothing to do (spec 01 §6.5). */

import { formatDuration } from "../base/duration.ts";
import type { Clock } from "../base/clock.ts";

const sayEveryMs = 60_000;

export class IdleTimer {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #sinceMs: number;
  #saidMs = -Infinity;

  /** @param options.timeoutMs 0: never idle out */
  constructor(options: { clock: Clock; timeoutMs: number }) {
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#sinceMs = options.clock.monotonicMs();
  }

  /** Something happened: starts from zero. */
  restart(): void {
    this.#sinceMs = this.#clock.monotonicMs();
  }

  get expired(): boolean {
    return this.#timeoutMs > 0 && this.idleMs >= this.#timeoutMs;
  }

  get idleMs(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }

  /** Time until it expires; Infinity when it never does. */
  get leftMs(): number {
    return this.#timeoutMs === 0 ? Infinity : Math.max(this.#timeoutMs - this.idleMs, 0);
  }

  /** A line for the worker log, at most once a minute. */
  report(tasksLeft: number | undefined): string | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#saidMs < sayEveryMs) return undefined;
    this.#saidMs = nowMs;
    const exit = this.#timeoutMs === 0 ? "" : ` (will exit if no task claimed in ${seconds(this.leftMs)})`;
    const more = tasksLeft === undefined ? "" : ` ${tasksLeft} more tasks to run before exiting.`;
    return `No task claimed. Idle for ${seconds(this.idleMs)}${exit}.${more}`;
  }
}

function seconds(durationMs: number): string {
  return formatDuration(Math.round(durationMs / 1000) * 1000);
}
