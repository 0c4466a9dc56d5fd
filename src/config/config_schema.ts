/** The JSON schema of the config file, derived from the table of settings. */

import { type Build, describeBuild } from "../base/build.ts";
import { d2gSettings } from "./d2g_settings.ts";
import type { Setting } from "./setting.ts";
import { isIntegerType, largestOf } from "./setting_types.ts";
import { defaultOf, settingsOn } from "./settings.ts";

type Schema = Readonly<Record<string, unknown>>;

/**
 * A draft-07 schema. It can't say that names are matched case-insensitively, that `1.0` is no whole number, or which
 * settings contradict each other: `check-config` can.
 */
export function configSchema(build: Build): Schema {
  const rows = settingsOn(build);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: `Config file of generic-worker, ${describeBuild(build)}`,
    ...objectSchema(rows, build),
    required: rows.filter((row) => row.required === true && row.default === undefined).map(({ name }) =>
      name
    ),
  };
}

function objectSchema(rows: readonly Setting[], build: Build): Schema {
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(rows.map((row) => [row.name, settingSchema(row, build)])),
  };
}

/** `null` stands for the default, so that only settings without one refuse it. */
function settingSchema(row: Setting, build: Build): Schema {
  const standard = defaultOf(row, build);
  const value = valueSchema(row, build);
  return {
    description: row.meaning,
    ...value,
    ...standard === undefined ? {} : { type: [value["type"], "null"], default: standard },
  };
}

function valueSchema(row: Setting, build: Build): Schema {
  if (isIntegerType(row.type)) {
    const largest = Number(largestOf(row.type));
    // Larger ones have no exact form in a JSON number of this program.
    const limit = Number.isSafeInteger(largest) ? { maximum: largest } : {};
    return { type: "integer", minimum: row.least ?? 0, ...limit };
  }
  switch (row.type) {
    case "bool":
      return { type: "boolean" };
    case "string":
      return { type: "string", ...row.required === true ? { minLength: 1 } : {} };
    case "ip":
      return {
        type: "string",
        anyOf: [{ type: "null" }, { const: "" }, { format: "ipv4" }, { format: "ipv6" }],
      };
    case "metadata":
      return { type: "object" };
    case "d2g":
      return objectSchema(d2gSettings, build);
  }
}
