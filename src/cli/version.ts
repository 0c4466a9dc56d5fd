/** `--version`: which engine, version and commit this is. */

import { versionLine } from "./build_info.ts";
import { exitCodes } from "./exit_codes.ts";
import { print } from "./terminal.ts";

/** Prints the version line. */
export function execute(): number {
  print(`${versionLine()}\n`);
  return exitCodes.success.code;
}
