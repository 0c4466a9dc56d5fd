/** `run-task`: runs one task on this machine, on the same code as the worker, against the embedded Taskcluster. */

import { join, resolve } from "node:path";
import { formatByteSize } from "../base/byte_size.ts";
import { formatDuration } from "../base/duration.ts";
import { errorText } from "../base/error_text.ts";
import { stableJson } from "../base/stable_json.ts";
import { temporaryDirectory } from "../platform/temporary_directory.ts";
import { ServiceError } from "../services/errors.ts";
import type { CommandArguments } from "./command.ts";
import { hushDeprecations } from "./hush_deprecations.ts";
import { Interruption } from "./run_task/interruption.ts";
import { localDefinition } from "./run_task/local_definition.ts";
import { type LocalResult, runLocally } from "./run_task/local_run.ts";
import { RunTaskError } from "./run_task/run_task_error.ts";
import { workerLogName } from "./run_task/save_artifacts.ts";
import { readTask } from "./run_task/task_source.ts";
import { print, printError } from "./terminal.ts";
import { UsageMistake } from "./usage_mistake.ts";

/** Longer names push their own line's size aside, not those of all others. */
const widestName = 60;

/** The exit code tells the resolution. */
const exitOf: Readonly<Record<string, number>> = { completed: 0, failed: 1, exception: 2 };

/**
 * Runs the task; gives 0 for completed, 1 for failed, 2 for exception or a task that can't be read.
 *
 * @throws UsageMistake for a folder without a name
 */
export async function execute(given: CommandArguments): Promise<number> {
  if (given.values["artifacts"] === "") throw new UsageMistake("Option --artifacts needs a directory");
  hushDeprecations();
  using interruption = new Interruption();
  try {
    const result = await run(given, interruption);
    if (given.flags.has("json")) print(stableJson(result) + "\n");
    else printError(summary(result));
    return exitOf[result.state] ?? 2;
  } catch (error) {
    if (!interruption.signal.aborted || error !== interruption.signal.reason) sayWhy(error);
    return 2;
  }
}

/** @throws RunTaskError, ServiceError, what interrupted it */
async function run(given: CommandArguments, interruption: Interruption): Promise<LocalResult> {
  const rootUrl = Deno.env.get("TASKCLUSTER_ROOT_URL");
  const { signal } = interruption;
  const task = await readTask(given.operand, { signal, ...(rootUrl ? { rootUrl } : {}) });
  const { definition, changes } = localDefinition(task, { nowMs: Date.now() });
  for (const change of changes) printError(`run-task: ${change}\n`);
  const directory = await artifactsDirectory(given.values["artifacts"]);
  const scratchDirectory = await makeTemporary("run-task-work-");
  interruption.beforeLeaving(() => Deno.removeSync(scratchDirectory, { recursive: true }));
  return await runLocally(definition, {
    directory,
    scratchDirectory,
    terminal: given.flags.has("json") ? Deno.stderr : Deno.stdout,
    interruption,
  });
}

/** Where artifacts go: looked at before the task runs, so that nothing is lost after it. @throws RunTaskError */
async function artifactsDirectory(named: string | undefined): Promise<string> {
  if (named === undefined) return await makeTemporary("run-task-");
  const directory = resolve(named);
  try {
    await Deno.mkdir(directory, { recursive: true });
    await Deno.writeTextFile(join(directory, workerLogName), "");
    return directory;
  } catch (error) {
    throw new RunTaskError(`Cannot put artifacts into ${directory}: ${errorText(error)}`, { cause: error });
  }
}

/** @throws RunTaskError */
async function makeTemporary(prefix: string): Promise<string> {
  const parent = temporaryDirectory();
  try {
    return await Deno.makeTempDir({ dir: parent, prefix });
  } catch (error) {
    throw new RunTaskError(
      `Cannot make a temporary directory in ${parent}: ${errorText(error)}. ` +
        "Let TMPDIR name a directory that this account may write to",
      { cause: error },
    );
  }
}

/** @throws what is no one's mistake but the program's */
function sayWhy(error: unknown): void {
  if (error instanceof ServiceError) {
    printError(`run-task: The queue does not take this task: ${refusalOf(error)}\n`);
  } else if (error instanceof RunTaskError) {
    printError(`run-task: ${error.message}\n`);
  } else {
    throw error;
  }
}

/** All that the service says, which names each mistake; without what it repeats of the request. */
function refusalOf({ details, message }: ServiceError): string {
  try {
    const { message: said } = JSON.parse(details.body ?? "") as { message?: string };
    return said?.split("\n---\n")[0]?.trimEnd() ?? message;
  } catch {
    return message;
  }
}

function summary(result: LocalResult): string {
  const width = Math.min(widestName, Math.max(0, ...result.artifacts.map(({ name }) => name.length)));
  const lines = result.artifacts.map((artifact) => {
    const size = artifact.sizeBytes === undefined ? artifact.note : formatByteSize(artifact.sizeBytes);
    return `  ${artifact.name.padEnd(width)}  ${size}`;
  });
  return [
    "",
    `Task ${result.taskId}: ${result.state}/${result.reason} after ${formatDuration(result.durationMs)}`,
    `Artifacts and the worker's own log are in ${result.directory}:`,
    ...lines,
    "",
  ].join("\n");
}
