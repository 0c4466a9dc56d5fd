/** Why a call of a Taskcluster service did not succeed. */

export interface ServiceErrorDetails {
  /** `queue.claimWork` */
  readonly call: string;
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number;
  /** The service's own `code`, e.g. `InputError`. */
  readonly code?: string;
  /** The service's own first line of explanation, or what the network said. */
  readonly explanation: string;
  /** Body of the answer, for the worker log. */
  readonly body?: string;
  readonly attempts: number;
  readonly cause?: unknown;
}

/** One line for a task's log: call, status and the service's message (weakness K46). */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly details: ServiceErrorDetails;

  constructor(details: ServiceErrorDetails) {
    const answer = details.status === 0 ? "no answer" : `HTTP ${details.status}`;
    super(`${details.call}: ${answer}: ${details.explanation}`, { cause: details.cause });
    this.details = details;
  }

  get status(): number {
    return this.details.status;
  }
}
