/** Ctrl-C, SIGTERM and a closed terminal while `run-task` runs: once asks for a clean end, twice ends at once. */

import process from "node:process";
import { printError } from "../terminal.ts";

/** What shells report of a program that Ctrl-C ended. */
const interruptedExitCode = 130;

/** Listens from its construction to its disposal. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #signals: readonly NodeJS.Signals[] = heard();
  readonly #handle = () => this.#interrupt();
  readonly #beforeLeaving: (() => void)[] = [];

  constructor() {
    // Through node:process, because Deno's own listener refuses signals that the operating system does not have.
    for (const signal of this.#signals) process.on(signal, this.#handle);
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Has `act` called, the latest first, when the program is ended at once. What it throws is of no interest. */
  beforeLeaving(act: () => void): void {
    this.#beforeLeaving.unshift(act);
  }

  [Symbol.dispose](): void {
    for (const signal of this.#signals) process.off(signal, this.#handle);
  }

  #interrupt(): void {
    if (this.signal.aborted) return this.#leave();
    printError("\nrun-task: cancelling; Ctrl-C again to leave at once\n");
    this.#controller.abort(new Error("Interrupted"));
  }

  #leave(): never {
    for (const act of this.#beforeLeaving) {
      try {
        act();
      } catch {
        // Whoever interrupts twice wants out, whatever is left behind.
      }
    }
    printError("\nrun-task: left at once; the task's processes were killed and its artifacts not saved\n");
    Deno.exit(interruptedExitCode);
  }
}

/** A program under `nohup` has no terminal left and must not end with it, so it does not listen for that. */
function heard(): NodeJS.Signals[] {
  const onTerminal = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
  return ["SIGINT", "SIGTERM", ...(onTerminal ? ["SIGHUP" as const] : [])];
}
