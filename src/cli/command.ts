/** What a command is to the code that finds and runs it. */

import type { Where } from "../base/build.ts";

/** What was given to a command. Options are named without their dashes; required ones are there. */
export interface CommandArguments {
  /** Values of the options that take one and were given. */
  readonly values: Readonly<Record<string, string>>;
  /** Names of the options without a value that were given. */
  readonly flags: ReadonlySet<string>;
  /** The word after the command; the empty string for commands that take none. */
  readonly operand: string;
}

/** A module that carries a command out. */
export interface CommandModule {
  /** Gives the exit code. */
  execute(given: CommandArguments): number | Promise<number>;
}

/** One row of the table of options. */
export interface OptionRow {
  readonly name: string;
  /** What stands for the value in the help text; absent: the option takes no value. */
  readonly value?: string;
  readonly meaning: string;
  readonly where?: Where;
}

/** One row of the table of commands. */
export interface CommandRow {
  readonly name: string;
  /** What stands for its operand in the help text; absent: it takes none. */
  readonly operand?: string;
  /** Names of options it demands. */
  readonly requires?: readonly string[];
  /** Names of options it accepts. */
  readonly accepts?: readonly string[];
  readonly meaning: string;
  readonly where?: Where;
  /** Imports the module that carries it out; absent: known, but not part of this build. */
  readonly load?: () => Promise<CommandModule>;
}
