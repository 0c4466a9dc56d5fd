/** `--help`: everything a person can ask of the program, generated from the tables that drive it (spec 01 §2.3). */

import { existsOn } from "../base/build.ts";
import { d2gSettings } from "../config/d2g_settings.ts";
import type { Setting } from "../config/setting.ts";
import { defaultOf, settingsOn } from "../config/settings.ts";
import { type BuildInfo, buildInfo, versionLine } from "./build_info.ts";
import { entry, hardSpace, wrap } from "./columns.ts";
import { commands, options } from "./commands.ts";
import { type ExitCodeRow, exitCodes } from "./exit_codes.ts";
import { print } from "./terminal.ts";
import { usage } from "./usage.ts";

const about =
  "generic-worker claims tasks from a Taskcluster queue, runs them on this machine, and reports " +
  "their results, logs and artifacts.";
const optionHint =
  "An option may be written --option VALUE or --option=VALUE, before or after the command, and " +
  "shortened as long as it stays unambiguous.";
const configHint =
  "The config file is one JSON object. Names of settings are matched case-insensitively; null " +
  "stands for the default. `check-config` explains the mistakes in a file, `show-config-schema` is for editors.";

/** Prints the help of this build. */
export function execute(): number {
  print(helpText(buildInfo));
  return exitCodes.success.code;
}

/** No line is longer than 80 characters. */
export function helpText(info: BuildInfo): string {
  const known = settingsOn(info);
  const required = known.filter((row) => isDemanded(row));
  const optional = known.filter((row) => !isDemanded(row));
  return [
    versionLine(info),
    wrap(about, 0),
    usage(info).trimEnd(),
    section("Targets:", commandEntries(info)),
    section("Options:", [wrap(optionHint, 2), ...optionEntries(info)]),
    section("Required config settings:", [wrap(configHint, 2), ...settingEntries(required, info)]),
    section("Optional config settings:", settingEntries(optional, info)),
    ...known.some(({ type }) => type === "d2g")
      ? [section("Settings inside d2gConfig:", settingEntries(d2gSettings, info))]
      : [],
    section("Exit Codes:", exitCodeEntries(info)),
  ].join("\n\n") + "\n";
}

function section(title: string, entries: readonly string[]): string {
  return [title, ...entries].join("\n");
}

function isDemanded(row: Setting): boolean {
  return row.required === true && row.default === undefined;
}

function commandEntries(info: BuildInfo): string[] {
  return commands.filter((row) => existsOn(row.where, info)).map((row) =>
    entry(row.name, sentence(row.meaning), 24)
  );
}

function optionEntries(info: BuildInfo): string[] {
  return options.filter((row) => existsOn(row.where, info)).map((row) => {
    const term = row.value === undefined ? `--${row.name}` : `--${row.name} ${row.value}`;
    return entry(term, sentence(row.meaning), 24);
  });
}

function settingEntries(rows: readonly Setting[], info: BuildInfo): string[] {
  return rows.map((row) => {
    const standard = defaultOf(row, info);
    const suffix = standard === undefined || typeof standard === "object"
      ? ""
      : ` [default:${hardSpace}${JSON.stringify(standard)}]`;
    return entry(row.name, `${sentence(row.meaning)}${suffix}`, 36);
  });
}

function exitCodeEntries(info: BuildInfo): string[] {
  const rows: readonly ExitCodeRow[] = Object.values(exitCodes);
  return rows.filter((row) => existsOn(row.where, info))
    .map((row) => entry(String(row.code), sentence(row.meaning), 8));
}

function sentence(meaning: string): string {
  return meaning.endsWith("]") ? meaning : `${meaning}.`;
}
