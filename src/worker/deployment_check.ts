/** Has the config file been replaced by one of a new deployment? (spec 01 §3.4, legacy settings) */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import type { Config } from "../config/config.ts";
import type { WorkerLog } from "../log/worker_log.ts";

export interface DeploymentCheckOptions {
  /** The configuration in force. */
  readonly config: Config;
  /** Reads the config file again. */
  readonly reload: () => Promise<Config>;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

export class DeploymentCheck {
  readonly #options: DeploymentCheckOptions;
  #checkedMs = -Infinity;

  constructor(options: DeploymentCheckOptions) {
    this.#options = options;
  }

  /**
   * Looks at the file when the interval has passed, or when `now` says so. A file that can't be read or is invalid is
   * reported and ignored.
   */
  async isNew({ now }: { now: boolean }): Promise<boolean> {
    const { clock, config, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (!now && nowMs - this.#checkedMs < config.checkForNewDeploymentEverySecs * 1000) return false;
    this.#checkedMs = nowMs;
    const current = await this.#reload();
    if (current === undefined || current.deploymentId === config.deploymentId) return false;
    log.info(`New deploymentId found: ${config.deploymentId} => ${current.deploymentId}`);
    return true;
  }

  async #reload(): Promise<Config | undefined> {
    try {
      return await this.#options.reload();
    } catch (error) {
      this.#options.log.warn(`Could not check for a new deployment: ${errorText(error)}`);
      return undefined;
    }
  }
}
