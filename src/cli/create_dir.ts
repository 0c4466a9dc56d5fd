/** `create-dir`: a directory and its parents, made with the rights of the calling user (spec 03 §8). */

import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { failure } from "./failure.ts";

/** Creates `--create-dir` and missing parents for this user alone; one that exists is fine. */
export function execute({ values }: CommandArguments): number {
  const path = values["create-dir"]!;
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    return exitCodes.success.code;
  } catch (error) {
    return failure(exitCodes.createDirFailed.code, `creating the directory ${path}`, error);
  }
}
