/** Rules between the values of a configuration that was decoded (spec 01 §3.2). Breaking one ends the worker with 73. */

import { type Build, existsOn } from "../base/build.ts";
import { Secret } from "../base/secret.ts";
import type { Config } from "./config.ts";
import { overlaps, type PortRange, portRanges, rangeText } from "./port_ranges.ts";
import type { Problem } from "./problem.ts";
import type { Setting } from "./setting.ts";
import { describeType } from "./setting_types.ts";
import { settings } from "./settings.ts";

/** Every broken rule, in the order in which the worker names them. */
export function brokenRules(config: Config, build: Build): Problem[] {
  return [
    ...missingValues(config, build),
    ...tooSmall(config),
    ...portsTooHigh(config),
    ...portsOverlapping(config),
    ...notHeadless(config, build),
  ];
}

/** Alphabetical, case aside: the order of the existing worker, which names only the first. */
function missingValues(config: Config, build: Build): Problem[] {
  return settings
    .filter((row) => isRequired(row, { config, build }) && isEmpty(config[row.name]))
    .toSorted((a, b) => a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1)
    .map(({ name, meaning }) => ({
      exitCode: 73,
      setting: name,
      message: `"${name}" needs a value: ${meaning}`,
      allowed: "a string that is not empty",
    }));
}

/** A signing key that nothing signs with is not demanded (K32). */
function isRequired(row: Setting, { config, build }: { config: Config; build: Build }): boolean {
  if (row.name === "ed25519SigningKeyLocation" && !config.enableChainOfTrust) return false;
  if (typeof row.required === "object") return existsOn(row.required, build);
  return row.required ?? false;
}

function isEmpty(value: unknown): boolean {
  return (value instanceof Secret ? value.reveal() : value) === "";
}

function tooSmall(config: Config): Problem[] {
  const rows: readonly (Setting & { name: keyof Config })[] = settings;
  return rows.filter(({ name, least }) => Number(config[name]) < (least ?? 0)).map((row) => ({
    exitCode: 73,
    setting: row.name,
    message: `"${row.name}" must be at least ${row.least}, but is ${config[row.name]}`,
    found: String(config[row.name]),
    allowed: describeType(row.type, row.least),
  }));
}

function portsTooHigh(config: Config): Problem[] {
  return portRanges(config).filter(({ last }) => last > 65535).map((range) => ({
    exitCode: 73,
    setting: range.setting,
    message: `"${range.setting}" is too high: with "capacity" ${config.capacity} its ports are ` +
      `${rangeText(range)}, and the highest port is 65535`,
    found: String(range.first),
    allowed: `at most ${65535 - (range.last - range.first)}`,
  }));
}

function portsOverlapping(config: Config): Problem[] {
  return overlaps(portRanges(config)).map(([lower, higher]) => ({
    exitCode: 73,
    setting: higher.setting,
    message: `port range overlap detected: with "capacity" ${config.capacity}, ${portsOf(lower)} and ` +
      `${portsOf(higher)}; the second must start at least ${lower.last - lower.first + 1} above the first`,
    found: String(higher.first),
    allowed: `a port range that no other setting uses`,
  }));
}

function portsOf(range: PortRange): string {
  return `"${range.setting}" uses ${rangeText(range)}`;
}

function notHeadless(config: Config, build: Build): Problem[] {
  if (build.engine !== "multiuser" || config.capacity <= 1 || config.headlessTasks) return [];
  return [{
    exitCode: 73,
    setting: "capacity",
    message: `"capacity" ${config.capacity} needs "headlessTasks": true on the multiuser engine`,
    found: String(config.capacity),
    allowed: '1, unless "headlessTasks" is true',
  }];
}
