/** Names of task directories (spec 02 §6.2). */

const longestName = 20;

/** `task_<prefix of the task id>_<run id>`, at most 20 characters: the longest account name of some systems. */
export function taskDirectoryName(run: { taskId: string; runId: number }): string {
  const suffix = `_${run.runId}`;
  return `task_${run.taskId.slice(0, longestName - "task_".length - suffix.length)}${suffix}`;
}
