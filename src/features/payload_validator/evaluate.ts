/**
 * Checks a payload against its schema, and explains what is wrong as task authors know it (spec 02 §1.8, §2.2).
 *
 * Not done by a schema library, because the explanation needs a score of every alternative that none gives, and
 * because ajv, told to report all errors, takes time that grows with the square of their number: minutes for a
 * payload of 300 KB. The tests use it to check the verdicts.
 */

import { canonicalKey } from "./canonical_key.ts";
import { isDateTime } from "./date_time.ts";
import type { Schema, SchemaDocument } from "./schema.ts";
import { isUri } from "./uri.ts";
import { type Place, shortened, Verdict } from "./verdict.ts";

/** Checks values against places of one schema document. */
export class Evaluator {
  readonly #document: SchemaDocument;

  constructor(document: SchemaDocument) {
    this.#document = document;
  }

  /** Recursion is bounded by the schema, whose definitions do not contain themselves. */
  check(schema: Schema, value: unknown, place?: Place): Verdict {
    if (schema.$ref !== undefined) return this.check(this.#definition(schema.$ref), value, place);
    const given = typeName(value);
    if (schema.type !== undefined && given !== schema.type) {
      return wrongType(schema.type, given, place);
    }
    const verdict = new Verdict(pointsFor(given));
    if (schema.oneOf) this.#checkAlternatives(schema.oneOf, value, { place, verdict });
    if (typeof value === "string") checkString(schema, value, { place, verdict });
    else if (typeof value === "number") checkNumber(schema, value, { place, verdict });
    else if (Array.isArray(value)) this.#checkArray(schema, value, { place, verdict });
    else if (isObject(value)) this.#checkObject(schema, value, { place, verdict });
    return verdict;
  }

  #definition(reference: string): Schema {
    const definition = this.#document.definitions?.[reference.slice("#/definitions/".length)];
    if (!definition) throw new Error(`The payload schema refers to ${reference}, which it does not have`);
    return definition;
  }

  /** The alternative with the highest score explains, the first of several (spec 02 §2.2). */
  #checkAlternatives(alternatives: readonly Schema[], value: unknown, { place, verdict }: Context): void {
    const verdicts = alternatives.map((alternative) => this.check(alternative, value, place));
    const matching = verdicts.filter((alternative) => alternative.valid).length;
    if (matching === 1) return;
    verdict.violated(place, () => "Must validate one and only one schema (oneOf)");
    if (matching > 1) return;
    verdict.absorb(verdicts.reduce((best, next) => next.score > best.score ? next : best));
  }

  #checkArray(schema: Schema, items: readonly unknown[], { place, verdict }: Context): void {
    if (schema.minItems !== undefined && items.length < schema.minItems) {
      verdict.violated(place, () => `Array must have at least ${schema.minItems} items`);
    }
    if (schema.uniqueItems) checkUnique(items, { place, verdict });
    if (!schema.items) return;
    for (const [index, item] of items.entries()) {
      verdict.absorb(this.check(schema.items, item, { parent: place, segment: index }));
    }
  }

  #checkObject(schema: Schema, object: Readonly<Record<string, unknown>>, { place, verdict }: Context): void {
    checkRequired(schema.required ?? [], object, { place, verdict });
    checkDependencies(schema.dependencies ?? {}, object, { place, verdict });
    for (const [key, value] of Object.entries(object)) {
      const member = memberSchema(schema, key);
      if (member) verdict.absorb(this.check(member, value, { parent: place, segment: key }));
      else if (member === false) {
        verdict.violated(place, () => `Additional property ${shortened(key)} is not allowed`);
      }
    }
  }
}

interface Context {
  readonly place: Place | undefined;
  readonly verdict: Verdict;
}

type TypeName = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

/** Is it an object as JSON has them? */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number too large for a float (`1e400`) is still an integer, so that its size is what gets reported. */
function typeName(value: unknown): TypeName {
  if (value === null || value === undefined) return "null";
  if (typeof value === "boolean" || typeof value === "string") return typeof value as "boolean" | "string";
  if (typeof value !== "number") return Array.isArray(value) ? "array" : "object";
  return Number.isInteger(value) || !Number.isFinite(value) ? "integer" : "number";
}

function wrongType(expected: string, given: TypeName, place: Place | undefined): Verdict {
  const verdict = new Verdict(0);
  verdict.violated(place, () => `Invalid type. Expected: ${expected}, given: ${given}`);
  return verdict;
}

function pointsFor(given: TypeName): number {
  if (given === "null") return 2;
  return given === "boolean" ? 3 : 4;
}

function checkString(schema: Schema, text: string, { place, verdict }: Context): void {
  const { enum: choices, pattern, format, maxLength } = schema;
  if (choices && !choices.includes(text)) {
    const listed = choices.map((choice) => `"${choice}"`).join(", ");
    verdict.violated(place, (field) => `${field} must be one of the following: ${listed}`);
  }
  if (maxLength !== undefined && isLonger(text, maxLength)) {
    verdict.violated(place, () => `String length must be less than or equal to ${maxLength}`);
  }
  if (pattern !== undefined && !new RegExp(pattern).test(text)) {
    verdict.violated(place, () => `Does not match pattern '${pattern}'`);
  }
  if (format !== undefined && !hasFormat(format, text)) {
    verdict.violated(place, () => `Does not match format '${format}'`);
  }
}

/** Counts code points, of which a text has at most as many as UTF-16 units and at least half. */
function isLonger(text: string, maxCodePoints: number): boolean {
  if (text.length <= maxCodePoints) return false;
  if (text.length > 2 * maxCodePoints) return true;
  return [...text].length > maxCodePoints;
}

function hasFormat(format: string, text: string): boolean {
  if (format === "date-time") return isDateTime(text);
  if (format === "uri") return isUri(text);
  throw new Error(`The payload schema uses the format ${format}, which the worker does not know`);
}

/**
 * Beside the schema's own limits, those of the 64-bit integers that exit codes and seconds are (spec 02 §2.2).
 * 2^63 itself passes: as a float it can't be told from the largest such integer.
 */
function checkNumber(schema: Schema, value: number, { place, verdict }: Context): void {
  const { minimum, multipleOf } = schema;
  if (minimum !== undefined && value < minimum) {
    verdict.violated(place, () => `Must be greater than or equal to ${minimum}`);
  } else if (value < -(2 ** 63)) {
    verdict.violated(place, () => "Must be greater than or equal to -9223372036854775808");
  } else if (value > 2 ** 63) {
    verdict.violated(place, () => "Must be less than or equal to 9223372036854775807");
  }
  if (multipleOf !== undefined && Number.isFinite(value) && value % multipleOf !== 0) {
    verdict.violated(place, () => `Must be a multiple of ${multipleOf}`);
  }
}

/** Each repeated item is reported together with the one of its kind before it. */
function checkUnique(items: readonly unknown[], { place, verdict }: Context): void {
  const lastSeen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    const key = canonicalKey(item);
    const earlier = lastSeen.get(key);
    if (earlier !== undefined) {
      verdict.violated(place, () => `array items[${earlier},${index}] must be unique`);
    }
    lastSeen.set(key, index);
  }
}

function checkRequired(
  names: readonly string[],
  object: Readonly<Record<string, unknown>>,
  { place, verdict }: Context,
): void {
  for (const name of names) {
    if (Object.hasOwn(object, name)) verdict.score += 1;
    else verdict.violated(place, () => `${name} is required`);
  }
}

function checkDependencies(
  dependencies: Readonly<Record<string, readonly string[]>>,
  object: Readonly<Record<string, unknown>>,
  { place, verdict }: Context,
): void {
  for (const [name, needed] of Object.entries(dependencies)) {
    if (!Object.hasOwn(object, name)) continue;
    for (const other of needed.filter((other) => !Object.hasOwn(object, other))) {
      verdict.violated(place, () => `Has a dependency on ${other}`);
    }
  }
}

/** Keys come from the task, so names of the prototype (`constructor`) must not be found in `properties`. */
function memberSchema(schema: Schema, key: string): Schema | false | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return schema.additionalProperties;
}
