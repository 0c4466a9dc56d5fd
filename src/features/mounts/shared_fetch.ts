/** One piece of work that several tasks wait for; it is stopped when none of them wants it any more. */

export class SharedFetch<T> {
  readonly #controller = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;

  /** @param onEnd called when the work has ended, or nobody wants it any more */
  constructor(work: (signal: AbortSignal) => Promise<T>, onEnd: () => void) {
    const ended = work(this.#controller.signal);
    this.#controller.signal.addEventListener("abort", onEnd, { once: true });
    this.#result = ended.finally(onEnd);
  }

  /** Is it being stopped? */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  /**
   * The result. Whoever's `signal` aborts stops waiting; the last one to do so waits until the work has stopped.
   *
   * @throws what the work throws; the signal's reason
   */
  async join(signal: AbortSignal): Promise<T> {
    this.#waiting++;
    const left = Promise.withResolvers<never>();
    const leave = () => {
      if (this.#waiting === 1) this.#controller.abort(signal.reason);
      else left.reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([this.#result, left.promise]);
    } finally {
      this.#waiting--;
      signal.removeEventListener("abort", leave);
    }
  }
}
