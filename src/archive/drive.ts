/** Feeds a reader written in steps from pieces that arrive over time. */

import { setImmediate } from "node:timers/promises";
import type { StepInput, Steps } from "./step_input.ts";

/** What `drive` takes. */
export interface DriveOptions {
  readonly input: StepInput;
  readonly signal?: AbortSignal | undefined;
  /** Called after each piece. */
  readonly onPiece?: () => void;
}

/** How long other work of this thread waits at most for pieces that are there at once. */
const sliceMs = 10;

/** Runs `steps` to their end. They are ended early, with their cleanup, when the pieces fail or the signal aborts. */
export async function drive(
  steps: Steps,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: DriveOptions,
): Promise<void> {
  const { input, signal, onPiece } = options;
  try {
    if (steps.next().done) return;
    let sliceEndsMs = performance.now() + sliceMs;
    for await (const piece of pieces) {
      if (performance.now() >= sliceEndsMs) {
        await setImmediate();
        sliceEndsMs = performance.now() + sliceMs;
      }
      signal?.throwIfAborted();
      input.push(piece);
      if (steps.next().done) return;
      onPiece?.();
    }
    input.end();
    steps.next();
  } finally {
    steps.return();
  }
}
