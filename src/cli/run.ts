/** `run`: claims tasks and runs them, until there is a reason to stop (spec 01 §5). */

import { resolve } from "node:path";
import { createEngine } from "#engine";
import payloadSchema from "#payload-schema" with { type: "json" };
import { createPlatform } from "#platform";
import { errorText } from "../base/error_text.ts";
import { ConfigError } from "../config/config_error.ts";
import { features } from "../features/list.ts";
import { createPlainWorkerLog, createWorkerLog, type WorkerLog } from "../log/worker_log.ts";
import { openRunnerStream, PipeError } from "../runner/open_pipes.ts";
import { RunnerProtocol } from "../runner/protocol.ts";
import { terminateOnSignals } from "../worker/signals.ts";
import { Termination } from "../worker/termination.ts";
import { runWorker } from "../worker/worker.ts";
import { buildInfo } from "./build_info.ts";
import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { hushDeprecations } from "./hush_deprecations.ts";
import { trustSystemCertificates } from "./system_trust.ts";
import { printError } from "./terminal.ts";
import { loadWorkerConfig } from "./worker_config.ts";

/** How long to wait for worker-runner's welcome before going on without (weakness K17). */
const welcomeWithinMs = 10_000;

/** Gives the worker's exit code (spec 01 §2.4). */
export async function execute(given: CommandArguments): Promise<number> {
  hushDeprecations();
  if (!given.flags.has("with-worker-runner")) return await run(given, { log: createWorkerLog(printError) });
  try {
    const supervisor = await connectToRunner(given.values["worker-runner-protocol-pipe"]);
    const exitCode = await run(given, {
      log: createPlainWorkerLog((message) => supervisor.log(message)),
      supervisor,
    });
    supervisor.giveUpWaiting();
    return exitCode;
  } catch (error) {
    if (!(error instanceof PipeError)) throw error;
    printError(`${error.message}\n`);
    return exitCodes.protocolPipeFailed.code;
  }
}

/** @throws PipeError */
async function connectToRunner(pipe: string | undefined): Promise<RunnerProtocol> {
  const stream = await openRunnerStream(pipe);
  const protocol = new RunnerProtocol({ ...stream, fallback: (line) => printError(`${line}\n`) });
  protocol.listen();
  const timer = setTimeout(() => protocol.giveUpWaiting(), welcomeWithinMs);
  await protocol.ready;
  clearTimeout(timer);
  return protocol;
}

interface Surroundings {
  readonly log: WorkerLog;
  readonly supervisor?: RunnerProtocol;
}

async function run(given: CommandArguments, surroundings: Surroundings): Promise<number> {
  const { log, supervisor } = surroundings;
  const platform = createPlatform();
  const environment = Deno.env.toObject();
  trustSystemCertificates(platform);
  const termination = new Termination();
  const stopListening = terminateOnSignals(termination, { platform, log });
  try {
    const path = resolve(given.values["config"] ?? "generic-worker.config");
    const config = await loadWorkerConfig(path, { platform, warn: (message) => log.warn(message) });
    await warnOfOpenFile(path, log);
    return await runWorker({
      ...surroundings,
      config,
      reloadConfig: () => loadWorkerConfig(path, { platform }),
      build: buildInfo,
      platform,
      createEngine,
      payloadSchema,
      features,
      directory: Deno.cwd(),
      environment,
      termination,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.error(`FATAL: ${error.message}`);
    supervisor?.reportError(error.message, {});
    return error.exitCode;
  } finally {
    stopListening();
  }
}

/** The insecure engine can't keep the file from tasks, which run under its own account (spec 01 §3.1). */
async function warnOfOpenFile(path: string, log: WorkerLog): Promise<void> {
  try {
    const { mode } = await Deno.stat(path);
    if (mode === null || (mode & 0o077) === 0) return;
    log.warn(`Config file ${path} holds credentials and can be read by other accounts. Try chmod 600`);
  } catch (error) {
    log.warn(`Could not look at the permissions of ${path}: ${errorText(error)}`);
  }
}
