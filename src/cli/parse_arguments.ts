/** Finds the command and its options in the words of the command line (spec 01 §2.1). */

import { type Build, describeBuild, describeWhere, existsOn } from "../base/build.ts";
import { isTaskId } from "../base/task_id.ts";
import type { CommandArguments, CommandRow, OptionRow } from "./command.ts";
import { commands, informational, options } from "./commands.ts";
import { UsageMistake } from "./usage_mistake.ts";

/** A command and what it was given. */
export interface ParsedArguments {
  readonly command: CommandRow;
  readonly given: CommandArguments;
}

/** The words taken apart, before anybody asked whether they fit together. */
interface Words {
  readonly positionals: string[];
  readonly values: Map<string, string>;
  readonly flags: Set<string>;
  /** What is wrong with single words; the first counts, unless help or the version was asked for. */
  readonly mistakes: UsageMistake[];
}

const none: CommandArguments = { values: {}, flags: new Set(), operand: "" };

/** @throws UsageMistake */
export function parseArguments(words: readonly string[], build: Build): ParsedArguments {
  const parts = takeApart(words, build);
  for (const command of informational.filter((row) => row.name !== "short-version")) {
    if (parts.flags.has(command.name)) return { command, given: none };
  }
  const [mistake] = parts.mistakes;
  if (mistake) throw mistake;
  if (parts.flags.has("short-version")) return shortVersion(words);
  const command = findCommand(parts.positionals, build);
  return { command, given: argumentsOf(command, parts) };
}

function takeApart(words: readonly string[], build: Build): Words {
  const parts: Words = { positionals: [], values: new Map(), flags: new Set(), mistakes: [] };
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (isTaskId(word)) parts.positionals.push(word);
    else if (word === "--") parts.positionals.push(...rest.splice(0));
    else if (word === "-h") parts.flags.add("help");
    else if (word.startsWith("--")) takeOption(word, rest, { parts, build });
    else if (word.startsWith("-") && word !== "-") parts.mistakes.push(shortOption(word));
    else parts.positionals.push(word);
  }
  return parts;
}

function takeOption(word: string, rest: string[], into: { parts: Words; build: Build }): void {
  const equals = word.indexOf("=");
  const written = equals < 0 ? word : word.slice(0, equals);
  const { parts } = into;
  try {
    const option = findOption(written, into.build);
    const name = `--${option.name}`;
    if (parts.values.has(option.name) || parts.flags.has(option.name)) {
      throw new UsageMistake(`Option ${name} is given twice`);
    }
    if (option.value === undefined) {
      if (equals >= 0) throw new UsageMistake(`Option ${name} takes no value`);
      parts.flags.add(option.name);
      return;
    }
    const value = equals < 0 ? rest.shift() : word.slice(equals + 1);
    if (value === undefined) throw new UsageMistake(`Option ${name} needs a value: ${name} ${option.value}`);
    parts.values.set(option.name, value);
  } catch (error) {
    if (!(error instanceof UsageMistake)) throw error;
    parts.mistakes.push(error);
  }
}

/** The option whose name is `written`, or the only one that starts with it. */
function findOption(written: string, build: Build): OptionRow {
  const name = written.slice(2);
  const here = options.filter((row) => existsOn(row.where, build));
  const exact = here.find((row) => row.name === name);
  if (exact) return exact;
  const [only, ...others] = here.filter((row) => row.name.startsWith(name));
  if (!only) throw unknownOption(written, build);
  if (others.length === 0) return only;
  const names = [only, ...others].map((row) => `--${row.name}`);
  throw new UsageMistake(`Option ${written} is ambiguous: it may be ${listOf(names)}`);
}

function unknownOption(written: string, build: Build): UsageMistake {
  const elsewhere = options.find((row) => `--${row.name}` === written);
  if (elsewhere?.where) return new UsageMistake(existsElsewhere(`Option ${written}`, elsewhere.where, build));
  const known = options.filter((row) => existsOn(row.where, build)).map((row) => `--${row.name}`);
  return new UsageMistake(`Unknown option ${written}`, { written, known });
}

function shortOption(word: string): UsageMistake {
  const full = options.find((row) => row.name.startsWith(word.slice(1, 2)));
  const hint = full ? `: options are written out, as in --${full.name}` : "";
  return new UsageMistake(`Unknown option ${word}${hint}`);
}

function shortVersion(words: readonly string[]): ParsedArguments {
  if (words.length > 1) throw new UsageMistake("Option --short-version must be the only word");
  return { command: informational.find((row) => row.name === "short-version")!, given: none };
}

function findCommand(positionals: readonly string[], build: Build): CommandRow {
  const [word] = positionals;
  if (word === undefined) throw new UsageMistake("No command is given");
  const command = commands.find((row) => row.name === word);
  if (!command) {
    const known = commands.filter((row) => existsOn(row.where, build)).map((row) => row.name);
    throw new UsageMistake(`Unknown command ${word}`, { written: word, known });
  }
  if (command.where && !existsOn(command.where, build)) {
    throw new UsageMistake(existsElsewhere(`Command ${word}`, command.where, build));
  }
  return command;
}

function existsElsewhere(what: string, where: NonNullable<CommandRow["where"]>, build: Build): string {
  return `${what} exists only ${describeWhere(where)}; this is ${describeBuild(build)}`;
}

function argumentsOf(command: CommandRow, parts: Words): CommandArguments {
  const [, operand, ...extra] = parts.positionals;
  const surplus = command.operand === undefined ? operand : extra[0];
  if (surplus !== undefined) throw new UsageMistake(`Unexpected word ${surplus} after ${command.name}`);
  if (command.operand !== undefined && operand === undefined) {
    throw new UsageMistake(`Command ${command.name} needs ${command.operand}`);
  }
  const requires = command.requires ?? [];
  const allowed = [...requires, ...command.accepts ?? []];
  const foreign = [...parts.values.keys(), ...parts.flags].find((name) => !allowed.includes(name));
  if (foreign) throw new UsageMistake(`Option --${foreign} does not belong to the command ${command.name}`);
  const missing = requires.find((name) => !parts.values.has(name));
  if (missing) throw new UsageMistake(`Command ${command.name} needs the option --${missing}`);
  return { values: Object.fromEntries(parts.values), flags: parts.flags, operand: operand ?? "" };
}

function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
