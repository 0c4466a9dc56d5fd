/** Facts that go along with every report of an error (spec 01 §3.6). */

import type { Build } from "../base/build.ts";
import type { Config } from "../config/config.ts";

export interface DebugInfoOptions {
  readonly build: Build & { readonly version: string; readonly revision: string | undefined };
  /** As in `amd64`. */
  readonly arch: string;
}

/** All values are strings, under the names that operators filter by. */
export function debugInfo(config: Config, { build, arch }: DebugInfoOptions): Record<string, string> {
  return {
    GOARCH: arch,
    GOOS: build.os,
    cleanUpTaskDirs: String(config.cleanUpTaskDirs),
    engine: build.engine,
    gwRevision: build.revision ?? "",
    gwVersion: build.version,
    instanceType: config.instanceType,
    provisionerId: config.provisionerId,
    rootURL: config.rootURL,
    workerGroup: config.workerGroup,
    workerId: config.workerId,
    workerType: config.workerType,
    capacity: String(config.capacity),
    ...(build.engine === "multiuser" ? { headlessTasks: String(config.headlessTasks) } : {}),
  };
}
