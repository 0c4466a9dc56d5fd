/** The usage block: one line per command line this build understands (spec 01 §2.1). */

import { type Build, existsOn } from "../base/build.ts";
import type { CommandRow } from "./command.ts";
import { commands, informational, options } from "./commands.ts";

const program = "generic-worker";

/** The block, with a final newline. */
export function usage(build: Build): string {
  const rows = commands.filter((row) => existsOn(row.where, build)).map(usageOf);
  const others = informational.map((row) => `  ${program} --${row.name}`);
  return ["Usage:", ...rows, ...others, ""].join("\n");
}

/** The command line of one command, broken where it would pass 80 columns. */
function usageOf(command: CommandRow): string {
  const words = [
    ...command.operand === undefined ? [] : [command.operand],
    ...(command.requires ?? []).map(optionWord),
    ...(command.accepts ?? []).map((name) => `[${optionWord(name)}]`),
  ];
  const start = `  ${program} ${command.name}`;
  const lines = [start];
  for (const word of words) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= 80) lines[lines.length - 1] = longer;
    else lines.push(`${" ".repeat(start.length)} ${word}`);
  }
  return lines.join("\n");
}

function optionWord(name: string): string {
  const value = options.find((row) => row.name === name)?.value;
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
