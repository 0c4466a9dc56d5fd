/** The three kinds of error a task run knows; anything else that escapes is a bug in the worker. */

/** Reasons of `queue.reportException` that the worker gives (spec 01 §8.6). */
export type ExceptionReason =
  | "malformed-payload"
  | "resource-unavailable"
  | "internal-error"
  | "worker-shutdown"
  | "intermittent-task";

/** The task did not do what it should: resolved `failed`. The message is the last line of its log. */
export class TaskFailure extends Error {
  override name = "TaskFailure";
}

/** The task could not be run as it should have been: resolved `exception` with `reason`. */
export class TaskException extends Error {
  override name = "TaskException";
  readonly reason: ExceptionReason;

  constructor(reason: ExceptionReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The worker itself cannot go on and ends with `exitCode` (spec 01 §2.4). */
export class WorkerFault extends Error {
  override name = "WorkerFault";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The run is no longer ours to resolve: cancelled, past its deadline, or its claim was lost. */
export class RunLost extends Error {
  override name = "RunLost";
}
