/** The last words of a command that failed (spec 01 §2.4, spec 03 §8). */

import { errorText } from "../base/error_text.ts";
import { createWorkerLog } from "../log/worker_log.ts";
import { printError } from "./terminal.ts";

/** Says on standard error what went wrong and why; gives `code` back, to be returned by the command. */
export function failure(code: number, what: string, cause: unknown): number {
  const log = createWorkerLog(printError);
  log.info(`Error ${what}`);
  log.info(`Root cause: ${errorText(cause)}`);
  return code;
}
