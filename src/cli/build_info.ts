/** What this binary is: stamped in at compile time, cheap to load. */

import { revision, version } from "#build";
import { engineName } from "#engine-name";
import type { Build, OperatingSystem } from "../base/build.ts";

/** Facts about the running program. */
export interface BuildInfo extends Build {
  readonly version: string;
  /** 40 hex digits; undefined where the commit is not known. */
  readonly revision: string | undefined;
}

export const buildInfo: BuildInfo = { engine: engineName, os: operatingSystem(), version, revision };

/** The line `--version` prints, without newline (spec 01 §2.3). */
export function versionLine(info: BuildInfo = buildInfo): string {
  const name = `generic-worker (${info.engine} engine) ${info.version}`;
  if (info.revision === undefined) return name;
  return `${name} [ revision: https://github.com/taskcluster/taskcluster/commits/${info.revision} ]`;
}

function operatingSystem(): OperatingSystem {
  const { os } = Deno.build;
  if (os === "linux" || os === "darwin" || os === "freebsd" || os === "windows") return os;
  throw new Error(`Cannot run on ${os}: no build for this operating system exists`);
}
