/** `status`: which tasks the worker on this machine is running (spec 01 §2.3). */

import { stableJson } from "../base/stable_json.ts";
import { temporaryDirectory } from "../platform/temporary_directory.ts";
import { exitCodes } from "./exit_codes.ts";
import { failure } from "./failure.ts";
import { print } from "./terminal.ts";

const nothingRuns = stableJson({ currentTaskIds: [] });

/** Prints what the worker wrote last, or that nothing runs when it wrote nothing. */
export function execute(): number {
  const path = `${temporaryDirectory()}/worker-status.json`;
  try {
    print(`${readStatus(path)}\n`);
    return exitCodes.success.code;
  } catch (error) {
    return failure(exitCodes.statusFailed.code, `reading the status file ${path}`, error);
  }
}

function readStatus(path: string): string {
  try {
    // Anybody may put something else under this name (K30), and a FIFO would be waited for.
    if (!Deno.statSync(path).isFile) throw new Error(`${path} is not a regular file`);
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return nothingRuns;
    throw error;
  }
}
