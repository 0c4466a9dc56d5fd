/** The one-way decision to end the worker: the first request counts (spec 01 §6.6). */

export interface TerminationRequest {
  /** What asked, for the log: `SIGTERM`, `idle timeout`, … */
  readonly reason: string;
  readonly exitCode: number;
  /** True: running tasks run to their end. False: they are aborted with worker-shutdown. */
  readonly finishTasks: boolean;
}

export class Termination {
  readonly #controller = new AbortController();
  #request: TerminationRequest | undefined;

  /** True when this request is the one that counts. */
  request(request: TerminationRequest): boolean {
    if (this.#request) return false;
    this.#request = request;
    this.#controller.abort(new Error(`The worker is ending: ${request.reason}`));
    return true;
  }

  get requested(): TerminationRequest | undefined {
    return this.#request;
  }

  /** Aborts with the request: no further claims. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
}
