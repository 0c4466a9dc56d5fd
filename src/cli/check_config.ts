/** `check-config`: what is wrong in a config file, and what it amounts to. */

import { stableJson } from "../base/stable_json.ts";
import { type ConfigReport, reportOnFile } from "../config/config_report.ts";
import type { EffectiveSetting } from "../config/effective_settings.ts";
import { exitCodeOf, type Problem } from "../config/problem.ts";
import { buildInfo } from "./build_info.ts";
import type { CommandArguments } from "./command.ts";
import { print } from "./terminal.ts";

/** Prints the report on the file; the exit code is the one with which `run` would end because of it. */
export async function execute({ operand, flags }: CommandArguments): Promise<number> {
  const report = await reportOnFile(operand, buildInfo);
  print(flags.has("json") ? reportForPrograms(operand, report) : reportForPeople(operand, report));
  return exitCodeOf(report.problems);
}

function reportForPrograms(path: string, { problems, settings }: ConfigReport): string {
  const exitCode = exitCodeOf(problems);
  return stableJson({
    file: path,
    exitCode,
    problems: problems.map(({ exitCode, position, ...rest }) => ({
      severity: exitCode === undefined ? "warning" : "error",
      ...rest,
      ...position,
    })),
    settings: settings.map(({ name, value, position }) => ({
      name,
      value,
      origin: position ? { file: path, ...position } : "default",
    })),
  }) + "\n";
}

function reportForPeople(path: string, { problems, settings }: ConfigReport): string {
  const lines = problems.toSorted(byPlace).map((problem) => describe(path, problem));
  const table = settings.map((setting) => settingLine(path, setting));
  return [...lines, ...lines.length > 0 ? [""] : [], verdict(path, problems), "", ...table, ""].join("\n");
}

/** From the top of the file to its end; what has no place comes first. */
function byPlace({ position: a }: Problem, { position: b }: Problem): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}

function describe(path: string, { exitCode, position, message }: Problem): string {
  const place = position ? `${path}:${position.line}:${position.column}` : path;
  return `${place}: ${exitCode === undefined ? "warning" : "error"}: ${message}`;
}

function verdict(path: string, problems: readonly Problem[]): string {
  const errors = problems.filter(({ exitCode }) => exitCode !== undefined).length;
  const counts = [counted(errors, "error"), counted(problems.length - errors, "warning")].filter((text) =>
    text
  );
  const found = counts.length > 0 ? counts.join(" and ") : "no mistakes";
  if (errors === 0) return `${path}: ${found}. Effective settings:`;
  return `${path}: ${found}; run would exit with ${
    exitCodeOf(problems)
  }. Settings as far as they can be read:`;
}

function counted(count: number, noun: string): string {
  if (count === 0) return "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function settingLine(path: string, { name, value, position }: EffectiveSetting): string {
  const origin = position ? `${path}:${position.line}` : "default";
  return `${name.padEnd(32)}${JSON.stringify(value).padEnd(28)} ${origin}`;
}
