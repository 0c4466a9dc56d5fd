/** A config file that the worker can't run with. */

import { type ConfigExitCode, describeProblem, exitCodeOf, type Problem } from "./problem.ts";

/** Carries every mistake of the file; the message names them all, each with line and column. */
export class ConfigError extends Error {
  override name = "ConfigError";
  /** Spec 01 §2.4. */
  readonly exitCode: ConfigExitCode;
  readonly problems: readonly Problem[];

  constructor(path: string, problems: readonly Problem[]) {
    super(`Cannot use config file ${path}: ${problems.map(describeProblem).join("\n")}`);
    this.exitCode = exitCodeOf(problems) || 64;
    this.problems = problems;
  }
}
