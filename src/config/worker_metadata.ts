/** What the worker adds to the metadata printed at the top of every task log (spec 01 §3.6). */

import type { EngineName, OperatingSystem } from "../base/build.ts";
import type { Config } from "./config.ts";

/** Facts about the running worker. */
export interface WorkerFacts {
  readonly engine: EngineName;
  readonly os: OperatingSystem;
  /** As in `amd64`. */
  readonly arch: string;
  /** Name and version of the language runtime. */
  readonly runtimeVersion: string;
  readonly version: string;
  /** 40 hex digits; undefined where the commit is not known. */
  readonly revision: string | undefined;
}

const project = "https://github.com/taskcluster/taskcluster";

/** The configuration with `workerTypeMetadata["generic-worker"]` replaced; other metadata stays. */
export function withWorkerMetadata(config: Config, facts: WorkerFacts): Config {
  const { revision, version, engine } = facts;
  const metadata = {
    "go-arch": facts.arch,
    "go-os": facts.os,
    "go-version": facts.runtimeVersion,
    release: `${project}/releases/tag/v${version}`,
    version,
    engine,
    config: {
      capacity: config.capacity,
      ...engine === "multiuser" ? { headlessTasks: config.headlessTasks } : {},
    },
    ...revision === undefined ? {} : { revision, source: `${project}/commits/${revision}` },
  };
  return { ...config, workerTypeMetadata: { ...config.workerTypeMetadata, "generic-worker": metadata } };
}
