/** Tells everyone who should know that the worker has a bug: its log, worker-runner, Sentry (weakness K8). */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import type { Config } from "../config/config.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Supervisor } from "../runner/supervisor.ts";
import type { ServiceClient } from "../services/client.ts";
import { describeCrash } from "./crash.ts";
import { debugInfo, type DebugInfoOptions } from "./debug_info.ts";
import { sendToSentry } from "./sentry.ts";
import type { WorkerCredentials } from "./worker_credentials.ts";

export interface CrashReporterOptions extends DebugInfoOptions {
  readonly config: Config;
  readonly log: WorkerLog;
  readonly clock: Clock;
  readonly client: ServiceClient;
  readonly credentials: WorkerCredentials;
  readonly supervisor?: Supervisor;
}

export class CrashReporter {
  readonly #options: CrashReporterOptions;
  readonly #sending = new Set<Promise<void>>();

  constructor(options: CrashReporterOptions) {
    this.#options = options;
  }

  /** Something that must not happen did. Returns at once; never throws. */
  crashed(where: string, error: unknown): void {
    const description = describeCrash(where, error);
    this.#options.log.error(description);
    this.#options.supervisor?.reportError(description, this.#tags());
    if (this.#options.config.sentryProject === "") return;
    const sending = this.#toSentry(error);
    this.#sending.add(sending);
    sending.finally(() => this.#sending.delete(sending));
  }

  /** The worker can't go on, for a reason it knows. */
  fatal(message: string): void {
    this.#options.log.error(`FATAL: ${message}`);
    this.#options.supervisor?.reportError(message, this.#tags());
  }

  /** Waits for reports under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  async #toSentry(error: unknown): Promise<void> {
    const { client, credentials, config, build, clock, log } = this.#options;
    try {
      await sendToSentry(error, {
        client,
        credentials: credentials.current,
        project: config.sentryProject,
        version: build.version,
        tags: this.#tags(),
        nowMs: clock.nowMs(),
      });
    } catch (failure) {
      log.warn(`Could not report the crash to Sentry: ${errorText(failure)}`);
    }
  }

  #tags(): Record<string, string> {
    return debugInfo(this.#options.config, this.#options);
  }
}
