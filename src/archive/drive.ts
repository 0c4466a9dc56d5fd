/** Feeds a reader written in steps from pieces that arrive over time. */

import type { StepInput, Steps } from "./step_input.ts";

/** What `drive` takes. */
export interface DriveOptions {
  readonly input: StepInput;
  readonly signal?: AbortSignal | undefined;
  /** Called after each piece. */
  readonly onPiece?: () => void;
}

/** Runs `steps` to their end. They are ended early, with their cleanup, when the pieces fail or the signal aborts. */
export async function drive(
  steps: Steps,
  pieces: AsyncIterable<Uint8Array>,
  options: DriveOptions,
): Promise<void> {
  const { input, signal, onPiece } = options;
  try {
    if (steps.next().done) return;
    for await (const piece of pieces) {
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
