/** A value that must never appear in a log, a dump or an error text. */

const hidden = "***";

/** Wraps a secret string. Everything that prints it prints `***`; only `reveal()` gives the value. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself, for the one place that must send or sign with it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return hidden;
  }
}
