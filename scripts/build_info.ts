/** The version and revision that are stamped into a binary as `#build`. */

import { runProgram } from "./run_program.ts";

export interface BuildInfo {
  readonly version: string;
  /** Git commit, 40 hex digits; undefined when the sources differ from it or are not in git. */
  readonly revision: string | undefined;
}

/** Reads them from `deno.json` and git below a directory. */
export async function readBuildInfo(root: string): Promise<BuildInfo> {
  const { version } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`)) as { version: string };
  return { version, revision: await cleanRevision(root) };
}

/** Source of the module that stands for `#build`. */
export function buildModule(info: BuildInfo): string {
  const revision = info.revision === undefined ? "undefined" : JSON.stringify(info.revision);
  return `export const version = ${JSON.stringify(info.version)};\nexport const revision = ${revision};\n`;
}

async function cleanRevision(root: string): Promise<string | undefined> {
  try {
    const changes = await runProgram(["git", "status", "--porcelain"], { cwd: root });
    return changes === "" ? await runProgram(["git", "rev-parse", "HEAD"], { cwd: root }) : undefined;
  } catch {
    return undefined;
  }
}
