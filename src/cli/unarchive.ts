/** `unarchive`: extracts an archive with the rights of the calling user (spec 03 §8). */

import { unarchive } from "../archive/mod.ts";
import type { CommandArguments } from "./command.ts";
import { exitCodes } from "./exit_codes.ts";
import { failure } from "./failure.ts";

/** Extracts `--archive-src`, said to be of `--archive-fmt`, into `--archive-dst`. */
export async function execute({ values }: CommandArguments): Promise<number> {
  const source = values["archive-src"]!;
  const destination = values["archive-dst"]!;
  try {
    await unarchive({ source, destination, format: values["archive-fmt"]! });
    return exitCodes.success.code;
  } catch (error) {
    return failure(exitCodes.unarchiveFailed.code, `extracting ${source} into ${destination}`, error);
  }
}
