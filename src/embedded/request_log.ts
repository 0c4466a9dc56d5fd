/** What was asked of the embedded services, for tests and benches. */

/** One call that has been answered, or refused an answer. */
export interface RequestRecord {
  readonly service: string;
  readonly entry: string;
  readonly method: string;
  readonly path: string;
  /** Undefined when the connection was closed without an answer. */
  readonly status: number | undefined;
  /** Empty for calls without signature. */
  readonly clientId: string;
  /** Milliseconds since the epoch, on arrival. */
  readonly arrivedMs: number;
}

type Waiter = {
  readonly matches: (record: RequestRecord) => boolean;
  readonly found: (record: RequestRecord) => void;
};

const keptRecords = 10_000;

/** Counts all calls and remembers the latest ten thousand. */
export class RequestLog {
  readonly #counts = new Map<string, number>();
  readonly #records: RequestRecord[] = [];
  readonly #waiters = new Set<Waiter>();

  /** Adds a call. */
  add(record: RequestRecord): void {
    const name = `${record.service}.${record.entry}`;
    this.#counts.set(name, this.count(name) + 1);
    this.#records.push(record);
    if (this.#records.length >= 2 * keptRecords) this.#records.splice(0, keptRecords);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(record)) continue;
      this.#waiters.delete(waiter);
      waiter.found(record);
    }
  }

  /** How often an entry was called: `queue.claimWork`, `store.put`. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** The latest calls, oldest first. */
  records(): readonly RequestRecord[] {
    return this.#records;
  }

  /** Resolves with the next call that matches; never, when none comes. */
  next(matches: (record: RequestRecord) => boolean): Promise<RequestRecord> {
    return new Promise((found) => this.#waiters.add({ matches, found }));
  }
}
