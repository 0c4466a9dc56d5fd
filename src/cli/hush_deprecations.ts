/** Keeps warnings that are meant for programmers out of what people read. */

import process from "node:process";

/** Deno 2.4 warns of a constructor that `hawk` uses, on the terminal or in the worker's log, at its first call. */
export function hushDeprecations(): void {
  Object.assign(process, { noDeprecation: true });
}
