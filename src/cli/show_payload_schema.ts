/** `show-payload-schema`: what a task's payload may hold (spec 02 §1.9). */

import schema from "#payload-schema" with { type: "json" };
import { stableJson } from "../base/stable_json.ts";
import { exitCodes } from "./exit_codes.ts";
import { print } from "./terminal.ts";

/** Prints the schema this build validates payloads against. */
export function execute(): number {
  print(`${stableJson(schema)}\n`);
  return exitCodes.success.code;
}
