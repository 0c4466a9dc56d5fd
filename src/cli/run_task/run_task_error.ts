/** What was given to `run-task`, or what surrounds it, can't be used. */

/** The message says what is wrong and what to do; no task has run, or none to its end. */
export class RunTaskError extends Error {
  override name = "RunTaskError";
}
