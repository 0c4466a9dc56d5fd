/** Something that is wrong, or probably not meant, in a config file. */

import type { Position } from "./json_source.ts";

/** How the worker ends with it: 64 for what can't be decoded, 73 for what contradicts a rule (spec 01 §2.4). */
export type ConfigExitCode = 64 | 73;

/** One mistake. Without an exit code it is a warning: the worker runs with it. */
export interface Problem {
  readonly exitCode?: ConfigExitCode;
  /** What is wrong, in words that follow a place and a colon. Never holds a secret. */
  readonly message: string;
  /** The setting it is about, as in `d2gConfig.gpus`. */
  readonly setting?: string;
  readonly position?: Position;
  /** What stands there. */
  readonly found?: string;
  /** What may stand there. */
  readonly allowed?: string;
  /** The known name that was probably meant. */
  readonly suggestion?: string;
}

/** The exit code that the worst of the problems asks for; 0 when all are warnings. */
export function exitCodeOf(problems: readonly Problem[]): 0 | ConfigExitCode {
  if (problems.some(({ exitCode }) => exitCode === 64)) return 64;
  return problems.some(({ exitCode }) => exitCode === 73) ? 73 : 0;
}

/** One line: where, then what. */
export function describeProblem({ position, message }: Problem): string {
  return position ? `${position.line}:${position.column}: ${message}` : message;
}
