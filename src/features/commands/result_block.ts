/** The lines after each command (spec 01 §9.3): labels end in column 32, so every value starts at 34. */

import { formatDuration } from "../../base/duration.ts";
import type { ResultLine } from "../../task/task_run.ts";

const labelWidth = 32;

export interface CommandTimes {
  readonly userMs: number;
  readonly kernelMs: number;
  readonly wallMs: number;
}

/** The block of a command that ended by itself. */
export function finishedResult(
  end: { exitCode: number; times: CommandTimes; watched: readonly ResultLine[]; succeeded: boolean },
): string {
  return render([
    ["Exit Code", String(end.exitCode)],
    ["User Time", formatDuration(end.times.userMs)],
    ["Kernel Time", formatDuration(end.times.kernelMs)],
    ["Wall Time", formatDuration(end.times.wallMs)],
    ...end.watched,
    ["Result", end.succeeded ? "SUCCEEDED" : "FAILED"],
  ]);
}

/** The line of a command that was killed; it ends in a newline, as log readers expect (spec 01 §9.3). */
export function abortedResult(duration: string, watched: readonly ResultLine[]): string {
  const lines = watched.length === 0 ? "" : `${render(watched)}\n`;
  return `Command ABORTED after ${duration}: process aborted\n${lines}`;
}

function render(lines: readonly ResultLine[]): string {
  return lines.map(([label, value]) => `${label.padStart(labelWidth)}: ${value}`).join("\n");
}
