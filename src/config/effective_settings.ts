/** Every setting of a build with its value and where that comes from. */

import { type Build, existsOn } from "../base/build.ts";
import { Secret } from "../base/secret.ts";
import type { Config } from "./config.ts";
import { d2gSettings } from "./d2g_settings.ts";
import type { Position } from "./json_source.ts";
import type { GivenValue } from "./read_object.ts";
import type { Setting } from "./setting.ts";
import { defaultOf, settings, settingsOn } from "./settings.ts";

/** One setting as the worker will see it. */
export interface EffectiveSetting {
  /** As in `capacity` or `d2gConfig.gpus`. */
  readonly name: string;
  /** A `Secret` where the setting is one and has a value. */
  readonly value: unknown;
  /** Where the file gives the value; absent: it is the default, as also where the file's value can't be used. */
  readonly position?: Position;
}

type GivenValues = ReadonlyMap<string, GivenValue>;

/** The settings that the build knows, in the order of the table. */
export function effectiveSettings(given: GivenValues, build: Build): EffectiveSetting[] {
  const effective = (rows: readonly Setting[], prefix: string) =>
    rows.filter((row) => existsOn(row.where, build) && row.type !== "d2g").map((row): EffectiveSetting => {
      const name = prefix + row.name;
      const found = given.get(name);
      const position = found?.value === undefined ? undefined : found.position;
      const value = effectiveValue(row, { given: found, build });
      const shown = row.secret && value !== "" ? new Secret(String(value)) : value;
      return { name, value: shown, ...position ? { position } : {} };
    });
  const inD2g = settingsOn(build).some((row) => row.type === "d2g");
  return [...effective(settings, ""), ...inD2g ? effective(d2gSettings, "d2gConfig.") : []];
}

/** The configuration made of what the file gives and the defaults of the rest. */
export function assembleConfig(given: GivenValues, build: Build): Config {
  const assemble = (rows: readonly Setting[], prefix: string) =>
    Object.fromEntries(
      rows.filter((row) => row.type !== "d2g")
        .map((row) => {
          const value = effectiveValue(row, { given: given.get(prefix + row.name), build });
          return [row.name, row.secret ? new Secret(String(value)) : value];
        }),
    );
  return { ...assemble(settings, ""), d2gConfig: assemble(d2gSettings, "d2gConfig.") } as unknown as Config;
}

function effectiveValue(row: Setting, from: { given: GivenValue | undefined; build: Build }): unknown {
  return from.given?.value ?? absentValue(row, from.build);
}

/** What a build doesn't know is off there. */
function absentValue(row: Setting, build: Build): unknown {
  if (row.type === "bool" && !existsOn(row.where, build)) return false;
  return defaultOf(row, build) ?? "";
}
