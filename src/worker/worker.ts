/** Puts a worker together and runs it from its first claim to its exit code (spec 01 §5). */

import { isAbsolute, join } from "node:path";
import { createCompressionSlots, createUploadSlots } from "../artifacts/upload_slots.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import { publicConfig } from "../config/public_config.ts";
import type { Config } from "../config/config.ts";
import type { CreateEngine } from "../engine/engine.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Platform } from "../platform/platform.ts";
import { ServiceClient } from "../services/client.ts";
import { Queue } from "../services/queue.ts";
import { WorkerFault } from "../task/errors.ts";
import type { Feature } from "../task/feature.ts";
import type { WorkerContext } from "../task/worker_context.ts";
import { WorkerMemory } from "../task/worker_memory.ts";
import { stableJson } from "../base/stable_json.ts";
import { CrashReporter } from "./crash_reporter.ts";
import type { DebugInfoOptions } from "./debug_info.ts";
import { DeploymentCheck } from "./deployment_check.ts";
import { endMachine } from "./end_machine.ts";
import { WorkerLoop } from "./loop.ts";
import { metricsTo } from "./metrics.ts";
import { PoolWish } from "./pool_wish.ts";
import { ResolvedCounter } from "./resolved_counter.ts";
import { RunRegistry } from "./run_registry.ts";
import { StatusFile } from "./status_file.ts";
import type { Supervisor, SupervisorRequests } from "../runner/supervisor.ts";
import type { Termination } from "./termination.ts";
import { WorkerCredentials } from "./worker_credentials.ts";

export interface WorkerOptions {
  readonly config: Config;
  /** Reads the configuration again. @throws when it can't */
  readonly reloadConfig: () => Promise<Config>;
  readonly build: DebugInfoOptions["build"];
  readonly platform: Platform;
  readonly createEngine: CreateEngine;
  readonly payloadSchema: Readonly<Record<string, unknown>>;
  readonly features: readonly Feature[];
  readonly log: WorkerLog;
  /** The worker's directory: state files lie here and relative settings start from here. Absolute. */
  readonly directory: string;
  /** The worker's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly termination: Termination;
  readonly clock?: Clock;
  /** Whoever started the worker and looks after it. */
  readonly supervisor?: Supervisor;
}

/**
 * Runs the worker until it has a reason to end.
 *
 * @returns the exit code (spec 01 §2.4); never throws
 */
export async function runWorker(options: WorkerOptions): Promise<number> {
  const { config, log, platform, clock = systemClock } = options;
  const metrics = metricsTo(log, config);
  const counter = new ResolvedCounter(options.directory, log);
  const links = connect(options);
  const { reporter } = links;
  let exitCode: number;
  let privileged = false;
  try {
    const worker = await createContext(options, links);
    privileged = worker.engine.privileged;
    log.info(`Config: ${stableJson(publicConfig(config, options.build))}`);
    log.info(`Platform: ${platform.os} ${platform.arch}, engine: ${worker.engine.name}`);
    log.info(`Working directory: ${options.directory}`);
    const bootMs = platform.bootTimeMs();
    if (bootMs !== undefined) metrics({ eventType: "instanceBoot", timeMs: bootMs });
    await counter.load();
    log.info(`Worker capacity: ${config.capacity}`);
    exitCode = await createLoop(worker, { options, counter, metrics }).run();
  } catch (error) {
    exitCode = error instanceof WorkerFault ? error.exitCode : 69;
    if (error instanceof WorkerFault) reporter.fatal(error.message);
    else reporter.crashed("the worker", error);
  }
  await counter.save();
  await reporter.settled();
  log.info(`Exiting worker with exit code ${exitCode}`);
  await endMachine(exitCode, {
    config,
    platform,
    log,
    metrics,
    clock,
    privileged,
    ...(options.supervisor ? { supervisor: options.supervisor } : {}),
  });
  return exitCode;
}

/** What the worker talks to others with. */
interface Links {
  readonly client: ServiceClient;
  readonly credentials: WorkerCredentials;
  readonly reporter: CrashReporter;
}

function connect(options: WorkerOptions): Links {
  const { config, log, platform, build, clock = systemClock, supervisor } = options;
  const client = new ServiceClient({
    rootUrl: config.rootURL,
    clock,
    onRetry: (message) => log.info(message),
  });
  const credentials = new WorkerCredentials(config);
  const reporter = new CrashReporter({
    ...{ config, log, clock, build, client, credentials, arch: platform.arch },
    ...(supervisor ? { supervisor } : {}),
  });
  supervisor?.serve(answers(options, credentials));
  return { client, credentials, reporter };
}

/** @throws WorkerFault when a directory the worker needs can't be made */
async function createContext(options: WorkerOptions, links: Links): Promise<WorkerContext> {
  const { config, platform, log, clock = systemClock, directory } = options;
  const absolute = (path: string) => isAbsolute(path) ? path : join(directory, path);
  const tasksDirectory = absolute(config.tasksDir);
  try {
    await Deno.mkdir(tasksDirectory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new WorkerFault(69, `Could not create tasksDir ${tasksDirectory}: ${errorText(error)}`);
  }
  const { client, credentials, reporter } = links;
  const worker: WorkerContext = {
    config,
    platform,
    clock,
    log,
    client,
    directory,
    tasksDirectory,
    engine: options.createEngine({ platform, tasksDirectory, environment: options.environment }),
    queue: new Queue(client),
    uploadSlots: createUploadSlots(),
    compressionSlots: createCompressionSlots(),
    credentials: () => credentials.current,
    payloadSchema: options.payloadSchema,
    memory: new WorkerMemory(() => worker),
    reportCrash: (where, error) => reporter.crashed(where, error),
  };
  return worker;
}

/** What a supervisor may ask for at any time. */
function answers({ termination, log }: WorkerOptions, credentials: WorkerCredentials): SupervisorRequests {
  return {
    gracefulTermination({ finishTasks }) {
      termination.request({ reason: "worker-runner asks for it", exitCode: 72, finishTasks });
    },
    newCredentials(fresh) {
      credentials.replace(fresh);
      log.info(`Got new credentials from worker-runner, client id ${fresh.clientId}`);
    },
    ended() {
      termination.request({ reason: "worker-runner has gone", exitCode: 72, finishTasks: false });
    },
  };
}

function createLoop(
  worker: WorkerContext,
  parts: { options: WorkerOptions; counter: ResolvedCounter; metrics: ReturnType<typeof metricsTo> },
): WorkerLoop {
  const { config, platform, log, directory } = worker;
  const wish = new PoolWish(worker);
  return new WorkerLoop(worker, {
    features: parts.options.features,
    counter: parts.counter,
    metrics: parts.metrics,
    termination: parts.options.termination,
    ...(parts.options.supervisor ? { shouldTerminate: () => wish.shouldTerminate() } : {}),
    deployment: new DeploymentCheck({ config, reload: parts.options.reloadConfig, clock: worker.clock, log }),
    statusFile: new StatusFile(platform.temporaryDirectory(), log),
    registry: new RunRegistry({
      directory: join(directory, "runs"),
      platform,
      log,
      clock: worker.clock,
      cleanUp: config.cleanUpTaskDirs,
    }),
  });
}
