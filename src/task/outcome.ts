/** What went wrong in a run, in the order it happened; the first problem decides the resolution. */

import { RunLost, TaskException, TaskFailure } from "./errors.ts";

export type Problem = TaskFailure | TaskException | RunLost;

export class Outcome {
  readonly #problems: Problem[] = [];

  /** Records a problem; what is not one of ours is a bug in the worker and counts as `internal-error`. */
  add(thrown: unknown): Problem {
    const problem = asProblem(thrown);
    this.#problems.push(problem);
    return problem;
  }

  get first(): Problem | undefined {
    return this.#problems[0];
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get succeeded(): boolean {
    return this.#problems.length === 0;
  }
}

function asProblem(thrown: unknown): Problem {
  if (thrown instanceof TaskFailure || thrown instanceof TaskException || thrown instanceof RunLost) {
    return thrown;
  }
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new TaskException("internal-error", `The worker failed while running this task: ${text}`, {
    cause: thrown,
  });
}
