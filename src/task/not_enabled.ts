/** What a user is told about a feature that this worker pool does not offer (spec 01 §8.2). */

import type { Config } from "../config/config.ts";

/** The pool as messages and scopes name it: `<provisionerId>/<workerType>`. */
export function poolId(config: Pick<Config, "provisionerId" | "workerType">): string {
  return `${config.provisionerId}/${config.workerType}`;
}

/** Where the owner of the pool can be found. */
export function poolPage(config: Pick<Config, "provisionerId" | "workerType" | "rootURL">): string {
  return `${config.rootURL.replace(/\/+$/, "")}/worker-manager/${encodeURIComponent(poolId(config))}`;
}

/** Feature off in the configuration: what to do about it. */
export function notEnabled(featureName: string, config: Config): string {
  return [
    `This task uses the feature "${featureName}", which is not enabled on this worker pool (${
      poolId(config)
    }).`,
    "If the task does not need it, take its toggle out of the payload. Else you have two options:",
    `1. Ask the owner of the pool ${poolId(config)} (${poolPage(config)})`,
    `   to enable the feature "${featureName}".`,
    "2. Use another worker pool that has it enabled.",
  ].join("\n");
}
