/** Timestamps of task logs and API bodies: UTC, ISO 8601, exactly three fraction digits (spec 01, conventions). */

/** `2026-08-01T10:00:00.123Z` for a time in milliseconds since the epoch. */
export function formatTimestamp(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
