/** A command line that is not understood (spec 01 §2.1). */

/** The message says in one sentence what is wrong; `written` and `known` serve to find what was meant. */
export class UsageMistake extends Error {
  override name = "UsageMistake";
  readonly written: string;
  readonly known: readonly string[];

  constructor(message: string, guess: { written?: string; known?: readonly string[] } = {}) {
    super(message);
    this.written = guess.written ?? "";
    this.known = guess.known ?? [];
  }
}
