/** Durations as the worker prints them everywhere (spec 01, conventions). */

const nanosecondsPerMs = 1_000_000;

/**
 * Renders a duration: `0s`; below one second one unit (`12.345ms`, `250µs`); from one second on
 * `[<h>h][<m>m]<s>s` with up to nine fraction digits and no trailing zeros.
 *
 * @param durationMs milliseconds; fractions count down to the nanosecond
 */
export function formatDuration(durationMs: number): string {
  const nanoseconds = Math.round(durationMs * nanosecondsPerMs);
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 0) return `-${formatDuration(-durationMs)}`;
  if (nanoseconds < 1_000) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000) return `${fixed(nanoseconds, 1_000)}µs`;
  if (nanoseconds < 1_000_000_000) return `${fixed(nanoseconds, 1_000_000)}ms`;
  const wholeMinutes = Math.floor(nanoseconds / 60_000_000_000);
  const seconds = fixed(nanoseconds - wholeMinutes * 60_000_000_000, 1_000_000_000);
  const hours = Math.floor(wholeMinutes / 60);
  if (hours > 0) return `${hours}h${wholeMinutes % 60}m${seconds}s`;
  return wholeMinutes > 0 ? `${wholeMinutes}m${seconds}s` : `${seconds}s`;
}

/** `value / unit` in decimal without trailing zeros, exact for integers. */
function fixed(value: number, unit: number): string {
  const whole = Math.floor(value / unit);
  const digits = String(unit).length - 1;
  const fraction = String(value % unit).padStart(digits, "0").replace(/0+$/, "");
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
