/** `--short-version`: the version number alone. */

import { buildInfo } from "./build_info.ts";
import { exitCodes } from "./exit_codes.ts";
import { print } from "./terminal.ts";

/** Prints the version. */
export function execute(): number {
  print(`${buildInfo.version}\n`);
  return exitCodes.success.code;
}
