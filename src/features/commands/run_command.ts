/** One command: started, watched, killed when the run is aborted, and its result logged (spec 02 §4). */

import { formatDuration } from "../../base/duration.ts";
import { shellCommandLine } from "../../base/shell_escape.ts";
import {
  type ExitStatus,
  type OutputPipe,
  type SpawnedProcess,
  SpawnError,
} from "../../platform/platform.ts";
import type { ResultLine, TaskRun } from "../../task/task_run.ts";
import { abortedResult, type CommandTimes, finishedResult } from "./result_block.ts";

/** How long a killed command may take to clean up between TERM and KILL. */
const graceMs = 5_000;

export interface CommandOptions {
  readonly index: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly output: OutputPipe;
}

export interface CommandEnd {
  readonly aborted: boolean;
  /** Absent when the process could not be started. */
  readonly status?: ExitStatus;
  /** The task's error; undefined when the command succeeded. */
  readonly failure: string | undefined;
}

/** Runs one command to its end. Never throws for anything the command does. */
export async function runCommand(task: TaskRun, options: CommandOptions): Promise<CommandEnd> {
  const line = `Executing command ${options.index}: ${shellCommandLine(options.argv)}`;
  task.log.info(line);
  task.workerLog.info(line);
  const startedMs = task.worker.clock.nowMs();
  try {
    const process = task.worker.platform.spawn({
      ...options,
      cwd: task.context.directory,
      ...identity(task),
    });
    return await supervise(task, { process, startedMs, output: options.output });
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    task.log.info(`System error executing command: ${error.message}`);
    return { aborted: false, failure: error.message };
  }
}

function identity(task: TaskRun) {
  return task.context.identity ? { identity: task.context.identity } : {};
}

async function supervise(
  task: TaskRun,
  { process, startedMs, output }: { process: SpawnedProcess; startedMs: number; output: OutputPipe },
): Promise<CommandEnd> {
  const finishWatching = task.commandWatchers.map((watch) => watch(process));
  const killed = killOnAbort(task, process);
  const status = await process.exited;
  await killed.settled();
  output.drain();
  const watched = finishWatching.flatMap((finish) => finish());
  const wallMs = task.worker.clock.nowMs() - startedMs;
  return killed.started()
    ? logAborted(task, { status, watched, wallMs })
    : logFinished(task, { status, watched, wallMs });
}

/** Kills the process group when the run is aborted while the command runs. */
function killOnAbort(task: TaskRun, process: SpawnedProcess) {
  let killing: Promise<unknown> | undefined;
  const kill = () => {
    killing = task.worker.platform.killGroup(process.pid, { graceMs }).then((empty) => {
      if (!empty) task.log.warn(`Some processes of command with pid ${process.pid} could not be killed`);
    });
  };
  if (task.signal.aborted) kill();
  else task.signal.addEventListener("abort", kill, { once: true });
  return {
    started: () => killing !== undefined,
    async settled() {
      task.signal.removeEventListener("abort", kill);
      await killing;
    },
  };
}

interface Ended {
  readonly status: ExitStatus;
  readonly watched: readonly ResultLine[];
  readonly wallMs: number;
}

function logAborted(task: TaskRun, { status, watched, wallMs }: Ended): CommandEnd {
  task.log.info(abortedResult(formatDuration(wallMs), watched));
  return { aborted: true, status, failure: "task was aborted" };
}

function logFinished(task: TaskRun, { status, watched, wallMs }: Ended): CommandEnd {
  const failure = failureOf(status);
  const times: CommandTimes = { userMs: status.userTimeMs, kernelMs: status.kernelTimeMs, wallMs };
  task.log.info(
    finishedResult({ exitCode: status.code ?? -1, times, watched, succeeded: failure === undefined }),
  );
  return { aborted: false, status, failure };
}

/** As the last line of the log words it (spec 02 §4.4). */
function failureOf(status: ExitStatus): string | undefined {
  if (status.signal !== undefined) {
    return `signal: ${status.signal}${status.coreDumped ? " (core dumped)" : ""}`;
  }
  return status.code === 0 ? undefined : `exit status ${status.code}`;
}
