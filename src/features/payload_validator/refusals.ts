/** What a task author is told whose valid payload is of a kind that this worker pool does not take (spec 02 §2.3). */

import type { Config } from "../../config/config.ts";
import { poolId, poolPage } from "../../task/not_enabled.ts";

/** A docker-worker payload, where such are not translated. */
export function dockerPayloadRefused(config: Config): string {
  const reason = config.d2gConfig.enableD2G
    ? `this release of the worker cannot translate docker worker payloads, although D2G is enabled on the worker pool ${
      poolId(config)
    }`
    : `D2G, which translates docker worker payloads, is not enabled on the worker pool ${poolId(config)}`;
  return [
    `Docker worker payload detected (it has an "image"), but ${reason}. You have two options:`,
    `1. Ask the owner of the pool ${poolId(config)} (${poolPage(config)})`,
    "   to enable D2G.",
    "2. Use another worker pool whose definition has enableD2G set to true.",
  ].join("\n");
}

/** A native payload, where only docker-worker payloads are taken. */
export function nativePayloadRefused(config: Config): string {
  return [
    `Native payloads are disabled on the worker pool ${poolId(config)} (disableNativePayloads is true).`,
    `Give the task a docker worker payload, use another worker pool, or ask the owner of this one (${
      poolPage(config)
    }).`,
  ].join("\n");
}
