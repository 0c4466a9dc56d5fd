/** `local-taskcluster`: a small Taskcluster on the loopback interface for the programs of this machine. */

import process from "node:process";
import { errorText } from "../base/error_text.ts";
import { type EmbeddedTaskcluster, startEmbeddedTaskcluster } from "../embedded/mod.ts";
import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { hushDeprecations } from "./hush_deprecations.ts";
import { print, printError } from "./terminal.ts";
import { UsageMistake } from "./usage_mistake.ts";

export interface LocalTaskclusterOptions {
  /** 0 takes any free port. */
  readonly port: number;
}

/** What serving needs from its surroundings. */
export interface LocalTaskclusterRun {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Takes the lines for a shell to evaluate; default standard output. */
  readonly print?: (text: string) => void;
  /** Takes what is said to people; default standard error. */
  readonly printError?: (text: string) => void;
}

/** Serves until SIGINT or SIGTERM. @throws UsageMistake for a port that is none */
export async function execute(given: CommandArguments): Promise<number> {
  const options = { port: parsePort(given.values["port"] ?? "0") };
  hushDeprecations();
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  // Through node:process, because Deno's own listener refuses signals that the operating system does not have.
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return await localTaskcluster(options, { signal: interruption.signal });
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/**
 * Starts an empty Taskcluster, prints how to reach it, and serves until the signal aborts.
 *
 * @returns the exit code: 0 after it served, 69 when it could not start
 */
export async function localTaskcluster(
  options: LocalTaskclusterOptions,
  run: LocalTaskclusterRun,
): Promise<number> {
  const explain = run.printError ?? printError;
  let taskcluster: EmbeddedTaskcluster;
  try {
    taskcluster = await startEmbeddedTaskcluster({ port: options.port });
  } catch (error) {
    explain(`Cannot start Taskcluster ${whyNotStarted(options, error)}\n`);
    return exitCodes.internalError.code;
  }
  try {
    (run.print ?? print)(shellExports(taskcluster));
    explain(introduction(taskcluster));
    await aborted(run.signal);
  } finally {
    await taskcluster.stop();
  }
  explain("Taskcluster stopped\n");
  return exitCodes.success.code;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw new UsageMistake(`Option --port needs a number from 0 to 65535, not ${text}`);
}

function whyNotStarted(options: LocalTaskclusterOptions, error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return `on port ${options.port}: the port is in use; name another, or leave --port out to get a free one`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `on port ${options.port}: this account may not use it; name one above 1023`;
  }
  return `on port ${options.port}: ${errorText(error)}`;
}

/** Without quotes, so that programs can read the lines too: no value has a character that means something to a shell. */
function shellExports(taskcluster: EmbeddedTaskcluster): string {
  const variables = {
    TASKCLUSTER_ROOT_URL: taskcluster.rootUrl,
    TASKCLUSTER_CLIENT_ID: taskcluster.credentials.clientId,
    TASKCLUSTER_ACCESS_TOKEN: taskcluster.credentials.accessToken.reveal(),
  };
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${value}\n`)
    .join("");
}

function introduction(taskcluster: EmbeddedTaskcluster): string {
  return `Taskcluster serves at ${taskcluster.rootUrl}, for programs of this machine only.\n` +
    "The lines on standard output tell a shell how to reach it; the credentials may do everything.\n" +
    "Nothing is kept when it stops. Stop it with Ctrl-C or SIGTERM.\n";
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
