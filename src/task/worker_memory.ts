/** What features keep for as long as the worker lives; they themselves are without state. */

/** Keeps one value per key, made when it is first asked for. One per worker. */
export class WorkerMemory<Owner> {
  readonly #owner: () => Owner;
  readonly #values = new Map<object, unknown>();

  /** @param owner what values are made for */
  constructor(owner: () => Owner) {
    this.#owner = owner;
  }

  /** The value of `make`, which is called once and is the key at the same time. */
  of<T>(make: (owner: Owner) => T): T {
    if (!this.#values.has(make)) this.#values.set(make, make(this.#owner()));
    return this.#values.get(make) as T;
  }
}
