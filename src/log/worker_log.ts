/** The worker's own diagnostic stream (spec 01 §10.1). */

/** Where the worker says what it does. Levels are words at the start of the message, as operators grep for them. */
export interface WorkerLog {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
  /** The same log with a task's name before every message (weakness K29). */
  forTask(taskId: string, runId: number): WorkerLog;
}

/** Sends each message to `write`, prefixed once with `YYYY/MM/DD HH:MM:SSZ `. */
export function createWorkerLog(write: (line: string) => void, nowMs: () => number = Date.now): WorkerLog {
  return createPlainWorkerLog((message) => write(`${stamp(nowMs())} ${message}\n`));
}

/** Sends each message to `write` as it is, for readers that add the time themselves. */
export function createPlainWorkerLog(write: (message: string) => void): WorkerLog {
  const at = (prefix: string): WorkerLog => {
    const say = (level: string) => (message: string) => write(`${level}${prefix}${message}`);
    return {
      info: say(""),
      warn: say("WARNING: "),
      error: say("ERROR: "),
      forTask: (taskId, runId) => at(`[${taskId}/${runId}] `),
    };
  };
  return at("");
}

/** A worker log that nobody reads. */
export const silentWorkerLog: WorkerLog = createWorkerLog(() => {});

function stamp(timeMs: number): string {
  const iso = new Date(timeMs).toISOString();
  return `${iso.slice(0, 10).replaceAll("-", "/")} ${iso.slice(11, 19)}Z`;
}
