/** The pauses between attempts (spec 01 §12.2, spec 03 §0 "standard retry policy"). */

/** How long to try and how long to wait in between. */
export interface BackoffOptions {
  /** First pause. Default 500 ms. */
  initialMs?: number;
  /** Each pause is this many times the one before. Default 1.5. */
  factor?: number;
  /** Pauses are spread by this share in both directions. Default 0.5. */
  jitter?: number;
  /** Longest pause before the spread. Default 60 s. */
  maxPauseMs?: number;
  /** A number in [0, 1); default `Math.random`. */
  random?: () => number;
}

/** Yields the pauses one after another, for ever; the caller decides when it is too late to try again. */
export function* backoffPausesMs(options: BackoffOptions = {}): Generator<number, never> {
  const { initialMs = 500, factor = 1.5, jitter = 0.5, maxPauseMs = 60_000, random = Math.random } = options;
  let pauseMs = initialMs;
  while (true) {
    yield pauseMs * (1 - jitter + 2 * jitter * random());
    pauseMs = Math.min(pauseMs * factor, maxPauseMs);
  }
}

/** No new attempt once this much time has passed since the first one (spec 01 §12.2). */
export const retryForMs = 15 * 60_000;
