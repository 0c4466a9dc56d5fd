/** Time as a parameter: the real clock, and the interface that tests bend. */

/** What a domain needs to know of time. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number;
  /** A clock that never jumps, in milliseconds from an arbitrary start, with fractions. */
  monotonicMs(): number;
  /**
   * Resolves after `durationMs`, or at once when `signal` aborts. Never rejects: the caller looks at the signal.
   * A sleep does not keep the process alive on its own account beyond its caller.
   */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

const longestTimerMs = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(durationMs, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(durationMs, 0), longestTimerMs));
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};
