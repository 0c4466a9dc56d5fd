/** How a bug in the worker shows in its log (spec 01 §10.3). */

/** Where it happened, what was thrown and the stack, with the words operators search for. */
export function describeCrash(where: string, error: unknown): string {
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  return `PANIC in ${where}\n *********** PANIC occurred! ***********\n${stack}`;
}
