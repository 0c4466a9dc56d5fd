/** A loaded and validated configuration: effective values, defaults filled in. */

import type { d2gSettings } from "./d2g_settings.ts";
import type { Setting, ValueOf } from "./setting.ts";
import type { settings } from "./settings.ts";

type ValuesOf<Rows extends readonly Setting[]> = {
  readonly [Row in Rows[number] as Row["name"]]: ValueOf<Row>;
};

/** Effective values inside `d2gConfig`. */
export type D2gConfig = ValuesOf<typeof d2gSettings>;

/** One field per row of the table of settings; those that the build doesn't know hold their defaults. */
export type Config =
  & Omit<ValuesOf<typeof settings>, "d2gConfig">
  & { readonly d2gConfig: D2gConfig };
