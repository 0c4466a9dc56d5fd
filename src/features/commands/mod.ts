/** Runs the commands of the payload, one after another, until one does not succeed (spec 01 §8.5). */

import { TaskException, TaskFailure } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { commandEnvironment } from "./environment.ts";
import { type CommandEnd, runCommand } from "./run_command.ts";

/** Last in the list: everything the commands need is in place when it starts. */
export const commandExecutor: Feature = {
  name: "Command Executor",
  requested: () => true,
  async start(task) {
    const { worker: { platform }, log } = task;
    const output = platform.createOutputPipe();
    output.start((bytes) => log.write(bytes));
    try {
      const env = commandEnvironment(task);
      for (const [index, argv] of task.payload.command.entries()) {
        if (task.abortCause) throw task.abortCause;
        const end = await runCommand(task, { index, argv, env, output });
        judge(task, end);
      }
    } finally {
      output.drain();
      output.close();
    }
  },
};

/** @throws what the end of a command means for the run */
function judge(task: TaskRun, end: CommandEnd): void {
  task.commandResults.push({
    aborted: end.aborted,
    ...(end.status?.code === undefined ? {} : { exitCode: end.status.code }),
  });
  if (task.abortCause) throw task.abortCause;
  if (end.failure === undefined) return;
  const code = end.status?.code;
  if (code !== undefined && task.payload.onExitStatus.retry.includes(code)) {
    throw new TaskException(
      "intermittent-task",
      `Task appears to have failed intermittently - exit code ${code} found in payload's onExitStatus.retry list`,
    );
  }
  throw new TaskFailure(end.failure);
}
