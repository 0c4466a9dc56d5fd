/** The configuration of a worker of this build, with the facts it adds itself. */

import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import { withWorkerMetadata } from "../config/worker_metadata.ts";
import type { Platform } from "../platform/platform.ts";
import { buildInfo } from "./build_info.ts";

export interface WorkerConfigOptions {
  readonly platform: Platform;
  /** Told of settings that work but were probably not meant so. */
  readonly warn?: (message: string) => void;
}

/** @throws ConfigError */
export async function loadWorkerConfig(path: string, options: WorkerConfigOptions): Promise<Config> {
  const { platform, warn } = options;
  const config = await loadConfig(path, { ...buildInfo, ...(warn ? { warn } : {}) });
  return withWorkerMetadata(config, {
    ...buildInfo,
    arch: platform.arch,
    runtimeVersion: `deno ${Deno.version.deno}`,
  });
}
