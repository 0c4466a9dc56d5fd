/** Everything there is to say about a config file. */

import type { Build } from "../base/build.ts";
import { errorText } from "../base/error_text.ts";
import type { Config } from "./config.ts";
import { doubts } from "./doubts.ts";
import { assembleConfig, type EffectiveSetting, effectiveSettings } from "./effective_settings.ts";
import { JsonSource } from "./json_source.ts";
import type { Problem } from "./problem.ts";
import { type GivenSettings, readObject } from "./read_object.ts";
import { brokenRules } from "./rules.ts";

/** What was found in a file. */
export interface ConfigReport {
  /** All mistakes, then all warnings, each in the order in which the worker names them. */
  readonly problems: readonly Problem[];
  readonly settings: readonly EffectiveSetting[];
  /** To be used only when no problem has an exit code. */
  readonly config: Config;
}

/** Reads a file; one that can't be read is a problem like others. */
export async function reportOnFile(path: string, build: Build): Promise<ConfigReport> {
  try {
    return reportOnText(await Deno.readTextFile(path), build);
  } catch (error) {
    return nothingRead(`the file can't be read: ${errorText(error)}`, build);
  }
}

/** Holds the text of a config file against the table of settings and the rules (spec 01 §3.1, §3.2). */
export function reportOnText(text: string, build: Build): ConfigReport {
  let source: JsonSource;
  try {
    // Editors on Windows put a byte order mark at the start.
    source = new JsonSource(text.replace(/^\ufeff/, ""));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return nothingRead(error.message, build);
  }
  if (source.root?.type !== "object") return notAnObject(source, build);
  const given = readObject(source.root, { source, build });
  return evaluate(given, { syntax: source.mistakes, build });
}

/** Rules are not applied to a document with syntax mistakes: what seems to be missing may only be misread. */
function evaluate(given: GivenSettings, rest: { syntax: readonly Problem[]; build: Build }): ConfigReport {
  const { syntax, build } = rest;
  const config = assembleConfig(given.values, build);
  const judged = syntax.length > 0 ? [] : [...brokenRules(config, build), ...doubts(config, build)]
    .filter(({ setting = "" }) => !isUnreadable(setting, given))
    .map((problem) => placed(problem, given));
  const all = [...syntax, ...given.problems, ...judged];
  return {
    problems: [...all.filter(({ exitCode }) => exitCode), ...all.filter(({ exitCode }) => !exitCode)],
    settings: effectiveSettings(given.values, build),
    config,
  };
}

function isUnreadable(setting: string, given: GivenSettings): boolean {
  const value = given.values.get(setting);
  return value !== undefined && value.value === undefined;
}

function placed(problem: Problem, given: GivenSettings): Problem {
  const position = given.values.get(problem.setting ?? "")?.position;
  return position ? { ...problem, position } : problem;
}

function notAnObject(source: JsonSource, build: Build): ConfigReport {
  const report = evaluate({ values: new Map(), problems: [] }, { syntax: source.mistakes, build });
  const message = `the document must be one JSON object, not ${
    source.root ? `a value of type ${source.root.type}` : "empty"
  }`;
  const problem: Problem = { exitCode: 64, position: source.position(source.root?.offset ?? 0), message };
  return { ...report, problems: source.mistakes.length > 0 ? source.mistakes : [problem] };
}

function nothingRead(message: string, build: Build): ConfigReport {
  const problem: Problem = { exitCode: 64, message };
  return {
    ...evaluate({ values: new Map(), problems: [] }, { syntax: [problem], build }),
    problems: [problem],
  };
}
