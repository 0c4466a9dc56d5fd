/** The settings that may be shown: what the worker logs when it starts (spec 01 §3.4). */

import { type Build, existsOn } from "../base/build.ts";
import type { Config } from "./config.ts";
import type { Setting } from "./setting.ts";
import { settings } from "./settings.ts";

/** All public settings of the build. Secrets are left out; so is an empty `workerLocation`. */
export function publicConfig(config: Config, build: Build): Record<string, unknown> {
  const rows: readonly (Setting & { name: keyof Config })[] = settings;
  const shown = rows.filter((row) =>
    !row.secret && existsOn(row.where, build) &&
    !(row.name === "workerLocation" && config.workerLocation === "")
  );
  return Object.fromEntries(shown.map(({ name }) => [name, config[name]]));
}
