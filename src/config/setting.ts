/** What the table of settings says about one setting. */

import type { Build, Where } from "../base/build.ts";
import type { Secret } from "../base/secret.ts";
import type { SettingType } from "./setting_types.ts";

/** Values that stand in the table as defaults. */
export type DefaultValue = string | number | boolean | Readonly<Record<string, never>>;

/** One row of the table. */
export interface Setting {
  readonly name: string;
  readonly type: SettingType;
  /** Absent: the config file must give a value. */
  readonly default?: DefaultValue | ((build: Build) => DefaultValue);
  /** The effective value must not be the empty string. A list of builds: only there. */
  readonly required?: boolean | Where;
  /** The smallest useful value of a whole number, if that is not 0. */
  readonly least?: number;
  /** Never shown, not even in the start-up dump. */
  readonly secret?: true;
  /** Belongs to older releases; accepted everywhere. */
  readonly legacy?: true;
  /** The builds that know it; absent: all. */
  readonly where?: Where;
  /** For people, without a full stop. */
  readonly meaning: string;
}

/** The TypeScript type of a row's effective value. */
export type ValueOf<Row extends Setting> = Row extends { readonly secret: true } ? Secret
  : Row["type"] extends "string" | "ip" ? string
  : Row["type"] extends "bool" ? boolean
  : Row["type"] extends `uint${string}` ? number
  : Row["type"] extends "metadata" ? Readonly<Record<string, unknown>>
  : never;
