/** When payload artifacts expire, and the check before the commands run (spec 03 §1). */

import { formatTimestamp } from "../base/timestamp.ts";

const toleranceMs = 1_000;
/** How some clients say "no time at all". */
const zeroTimeMs = Date.parse("0001-01-01T00:00:00Z");

/** The part of a payload artifact that this file is about. */
export interface Expiring {
  readonly path: string;
  readonly expires?: string;
}

/** The part of a task definition that this file is about. */
export interface TaskTimes {
  readonly deadline: string;
  readonly expires: string;
}

/** What is wrong with the explicit expiries, a line each; empty when they are fine. */
export function expiryMistakes(artifacts: readonly Expiring[], task: TaskTimes): string[] {
  return artifacts.flatMap((artifact) => expiryMistake(artifact, task) ?? []);
}

function expiryMistake(artifact: Expiring, task: TaskTimes): string | undefined {
  const expiresMs = explicitExpiryMs(artifact);
  if (expiresMs === undefined) return undefined;
  const deadlineMs = Date.parse(task.deadline);
  const taskExpiresMs = Date.parse(task.expires);
  const opening = `malformed payload: artifact '${artifact.path}' expires`;
  const expires = formatTimestamp(expiresMs);
  if (expiresMs + toleranceMs < deadlineMs) {
    return `${opening} before task deadline (${expires} is before ${formatTimestamp(deadlineMs)})`;
  }
  if (expiresMs > taskExpiresMs + toleranceMs) {
    return `${opening} after task expiry (${expires} is after ${formatTimestamp(taskExpiresMs)})`;
  }
  return undefined;
}

/** The expiry to publish with: the task's by default, and never a later one, which the queue refuses (W-09). */
export function effectiveExpiry(artifact: Expiring, task: TaskTimes): string {
  const taskExpiresMs = Date.parse(task.expires);
  return formatTimestamp(Math.min(explicitExpiryMs(artifact) ?? taskExpiresMs, taskExpiresMs));
}

/** An expiry `durationMs` from now, limited to the task's (weakness W-28). */
export function expiryAfter(durationMs: number, options: { nowMs: number; task: TaskTimes }): string {
  return formatTimestamp(Math.min(options.nowMs + durationMs, Date.parse(options.task.expires)));
}

function explicitExpiryMs({ expires }: Expiring): number | undefined {
  const expiresMs = expires === undefined ? zeroTimeMs : Date.parse(expires);
  return expiresMs === zeroTimeMs ? undefined : expiresMs;
}
