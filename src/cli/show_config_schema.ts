/** `show-config-schema`: what the config file may hold. */

import { stableJson } from "../base/stable_json.ts";
import { configSchema } from "../config/config_schema.ts";
import { buildInfo } from "./build_info.ts";
import { exitCodes } from "./exit_codes.ts";
import { print } from "./terminal.ts";

/** Prints the JSON schema of this build's config file. */
export function execute(): number {
  print(`${stableJson(configSchema(buildInfo))}\n`);
  return exitCodes.success.code;
}
