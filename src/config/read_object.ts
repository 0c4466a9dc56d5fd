/** From a JSON object to the settings it holds, held against a table (spec 01 §3.1). */

import type { Node } from "jsonc-parser";
import { type Build, describeBuild, describeWhere, existsOn } from "../base/build.ts";
import { closestName } from "../base/closest_name.ts";
import { d2gSettings } from "./d2g_settings.ts";
import type { JsonSource, Position } from "./json_source.ts";
import type { Problem } from "./problem.ts";
import { readValue } from "./read_value.ts";
import type { Setting } from "./setting.ts";
import { settings } from "./settings.ts";

/** A setting that the file gives a value other than `null`. */
export interface GivenValue {
  readonly position: Position;
  /** Undefined when it is not of the setting's type. */
  readonly value: unknown;
}

/** What a file says. Names of members of `d2gConfig` are `d2gConfig.<name>`. */
export interface GivenSettings {
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly problems: readonly Problem[];
}

interface Reading {
  readonly source: JsonSource;
  readonly build: Build;
  readonly values: Map<string, GivenValue>;
  readonly problems: Problem[];
}

/** Where in the document: the table that holds there, and what comes before its names. */
interface Level {
  readonly rows: readonly Setting[];
  readonly prefix: string;
}

const top: Level = { rows: settings, prefix: "" };
const insideD2g: Level = { rows: d2gSettings, prefix: "d2gConfig." };

/** Reads the document's root, an object. */
export function readObject(root: Node, options: { source: JsonSource; build: Build }): GivenSettings {
  const reading: Reading = { ...options, values: new Map(), problems: [] };
  readMembers(root, top, reading);
  return reading;
}

function readMembers(object: Node, level: Level, reading: Reading): void {
  const seen = new Set<string>();
  for (const { children: [key, node] = [] } of object.children ?? []) {
    if (key === undefined || node === undefined) continue;
    const row = level.rows.find((known) =>
      sameName(known.name, key.value) && existsOn(known.where, reading.build)
    );
    if (row === undefined) {
      reading.problems.push(unknownField(key, level, reading));
      continue;
    }
    if (seen.has(row.name)) reading.problems.push(givenTwice(row.name, key, reading));
    seen.add(row.name);
    readMember(node, { row, level, reading });
  }
}

/** `null` stands for the default (spec 01 §3.1). A later member of the same name wins. */
function readMember(node: Node, at: { row: Setting; level: Level; reading: Reading }): void {
  const { row, level, reading } = at;
  if (node.type === "null") return;
  const name = level.prefix + row.name;
  const position = reading.source.position(node.offset);
  const read = readValue(row, node, { source: reading.source, name });
  if ("value" in read) {
    reading.values.set(name, { position, value: read.value });
    if (row.type === "d2g") readMembers(node, insideD2g, reading);
  } else {
    reading.values.set(name, { position, value: undefined });
    reading.problems.push({ exitCode: 64, setting: name, position, ...read });
  }
}

function givenTwice(name: string, key: Node, { source }: Reading): Problem {
  return {
    setting: name,
    position: source.position(key.offset),
    message: `"${name}" is given more than once; the last value counts`,
  };
}

function unknownField(key: Node, level: Level, { source, build }: Reading): Problem {
  const written = String(key.value);
  const known = level.rows.filter((row) => existsOn(row.where, build)).map((row) => row.name);
  const explanation = whereItBelongs(written, level, build);
  const suggestion = explanation === undefined ? closestName(written, known) : undefined;
  const hint = explanation ?? (suggestion === undefined ? undefined : `did you mean "${suggestion}"?`);
  return {
    exitCode: 64,
    setting: level.prefix + written,
    position: source.position(key.offset),
    message: `unknown field "${written}"${hint === undefined ? "" : `; ${hint}`}`,
    found: `"${written}"`,
    allowed: "a setting that this build knows",
    ...suggestion === undefined ? {} : { suggestion },
  };
}

/** Settings of other builds and of the other table are explained, not just refused. */
function whereItBelongs(written: string, level: Level, build: Build): string | undefined {
  const find = (rows: readonly Setting[]) => rows.find((row) => sameName(row.name, written));
  const elsewhere = find(level.rows);
  if (elsewhere?.where) {
    return `this setting exists only ${describeWhere(elsewhere.where)}, and this is ${describeBuild(build)}`;
  }
  if (level === insideD2g) return find(settings) && "it belongs outside of d2gConfig";
  return find(d2gSettings) && "it belongs inside of d2gConfig";
}

function sameName(known: string, written: unknown): boolean {
  return known.toLowerCase() === String(written).toLowerCase();
}
