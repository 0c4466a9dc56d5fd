/** From the JSON of one setting to its value, held against the setting's type (spec 01 §3.1). */

import type { Node } from "jsonc-parser";
import { normalizeIp } from "./ip_address.ts";
import type { JsonSource } from "./json_source.ts";
import type { Setting } from "./setting.ts";
import { describeType, isIntegerType, largestOf } from "./setting_types.ts";

/** A value, or why it is none. */
export type ReadValue =
  | { readonly value: unknown }
  | { readonly message: string; readonly found: string; readonly allowed: string };

/** A longer value is only described by its kind. */
const longestShown = 60;

/** Reads anything but `null` and objects with a table of their own. */
export function readValue(
  setting: Setting,
  node: Node,
  options: { source: JsonSource; name: string },
): ReadValue {
  const literal = options.source.literal(node);
  const { type } = setting;
  if (type === "ip" && node.type === "string") {
    return readIp(setting, { text: node.value, literal, name: options.name });
  }
  if (isIntegerType(type)) {
    if (/^\d+$/.test(literal) && BigInt(literal) <= largestOf(type)) return { value: Number(literal) };
  } else if (type === "metadata" || type === "d2g") {
    if (node.type === "object") return { value: JSON.parse(literal) };
  } else if (node.type === (type === "bool" ? "boolean" : "string")) {
    return { value: node.value };
  }
  return mismatch(setting, node, { literal, name: options.name });
}

function readIp(setting: Setting, given: { text: string; literal: string; name: string }): ReadValue {
  const value = given.text === "" ? "" : normalizeIp(given.text);
  if (value !== undefined) return { value };
  const allowed = describeType(setting.type);
  const message = `invalid IP address: ${given.text}; "${given.name}" must be ${allowed}`;
  return { message, found: given.literal, allowed };
}

/** The words in brackets are those that operators know from the existing worker. */
function mismatch(setting: Setting, node: Node, given: { literal: string; name: string }): ReadValue {
  const allowed = describeType(setting.type, setting.least);
  const shown = !setting.secret && node.type !== "object" && node.type !== "array" &&
    given.literal.length <= longestShown;
  const kind = node.type === "boolean" ? "bool" : node.type;
  const found = shown ? given.literal : `${/^[aeiou]/.test(node.type) ? "an" : "a"} ${node.type}`;
  const decoder = node.type === "number" && shown ? `number ${given.literal}` : kind;
  const known = `cannot unmarshal ${decoder} into ${given.name} of type ${setting.type}`;
  return { message: `"${given.name}" must be ${allowed}, but is ${found} (${known})`, found, allowed };
}
