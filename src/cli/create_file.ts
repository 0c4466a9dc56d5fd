/** `create-file`: an empty file, made with the rights of the calling user (spec 03 §8). */

import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { failure } from "./failure.ts";

/** Creates `--create-file`, or empties it when it exists. */
export function execute({ values }: CommandArguments): number {
  const path = values["create-file"]!;
  try {
    Deno.openSync(path, { write: true, create: true, truncate: true }).close();
    return exitCodes.success.code;
  } catch (error) {
    return failure(exitCodes.createFileFailed.code, `creating the file ${path}`, error);
  }
}
