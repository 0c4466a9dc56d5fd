/** The score that picks the alternative which explains a payload (spec 02 §2.2), point by point. */

import assert from "node:assert/strict";
import { Evaluator } from "../../../src/features/payload_validator/evaluate.ts";
import type { Schema, SchemaDocument } from "../../../src/features/payload_validator/schema.ts";
import { describeViolation } from "../../../src/features/payload_validator/verdict.ts";
import { full, fullDocker, minimal, minimalDocker, schemas } from "./payloads.ts";

const text: Schema = { type: "string" };
const definitions = { short: { type: "string", maxLength: 1 } } as const;

const points: readonly (readonly [string, Schema, unknown, number])[] = [
  ["a string", text, "a", 4],
  ["a number", { type: "integer" }, 1, 4],
  ["a boolean", { type: "boolean" }, true, 3],
  ["a wrong type, with nothing else counted", { type: "object", required: ["a"] }, "a", -2],
  ["an empty list", { type: "array", items: text }, [], 4],
  ["a list with its items", { type: "array", items: text }, ["a", "b"], 12],
  ["a list with an item of the wrong type", { type: "array", items: text }, ["a", 1], 6],
  ["a list that is too short", { type: "array", minItems: 1 }, [], 2],
  ["each repeated item", { type: "array", uniqueItems: true }, [1, 1, 1], 0],
  ["a required property that is there", { type: "object", required: ["a"] }, { a: 1 }, 5],
  ["a required property that is missing", { type: "object", required: ["a", "b"] }, {}, 0],
  ["a required property that only the prototype has", { type: "object", required: ["toString"] }, {}, 2],
  ["a known member", { type: "object", properties: { a: text } }, { a: "x", b: "y" }, 8],
  ["a member that the prototype knows", { type: "object", properties: {} }, { constructor: "x" }, 4],
  ["each forbidden member", { type: "object", additionalProperties: false }, { a: 1, b: 1 }, 0],
  ["members without pattern", { type: "object", additionalProperties: text }, { a: "x", b: 1 }, 6],
  ["a missing dependency", { type: "object", dependencies: { a: ["b"] } }, { a: 1 }, 2],
  ["a dependency of what is not there", { type: "object", dependencies: { toString: ["b"] } }, {}, 4],
  ["each of several violations", { type: "string", enum: ["a"], pattern: "^a", maxLength: 1 }, "bb", -2],
  ["too small a number", { type: "integer", minimum: 1 }, 0, 2],
  ["too large a number", { type: "integer" }, 1e19, 2],
  ["too far below zero", { type: "integer" }, -1e19, 2],
  ["the ends of 64 bits", { type: "array", items: { type: "integer" } }, [2 ** 63, -(2 ** 63)], 12],
  ["a reference, for which nothing is added", { $ref: "#/definitions/short" }, "a", 4],
  ["a reference, whose siblings are void", { $ref: "#/definitions/short", enum: ["b"] }, "a", 4],
  ["a choice that one alternative matches", { oneOf: [text, { type: "boolean" }] }, "a", 4],
  ["a choice of a boolean", { oneOf: [text, { type: "boolean" }] }, true, 3],
  ["a choice that none matches, with the best of them", { oneOf: [text, definitions.short] }, 1, 4 - 2 - 2],
  ["a choice of null", { oneOf: [text] }, null, 2 - 2 - 2],
  [
    "a choice explained by the better one",
    { oneOf: [{ type: "boolean" }, definitions.short] },
    "ab",
    4 - 2 + 2,
  ],
  ["a choice that two match, with neither of them", { oneOf: [text, text] }, "a", 4 - 2],
];

for (const [what, schema, value, score] of points) {
  Deno.test(`Evaluator gives ${score} for ${what}`, () => {
    assert.equal(new Evaluator({ definitions }).check(schema, value).score, score);
  });
}

Deno.test("Evaluator lets the first of equally good alternatives explain", () => {
  const schema: Schema = { oneOf: [{ type: "boolean" }, { type: "array" }] };
  assert.deepEqual(new Evaluator({}).check(schema, 1).violations.map(describeViolation), [
    "(root): Must validate one and only one schema (oneOf)",
    "(root): Invalid type. Expected: boolean, given: integer",
  ]);
});

Deno.test("Evaluator counts code points and stops at the limit exactly", () => {
  const evaluator = new Evaluator({});
  const schema: Schema = { type: "string", maxLength: 2 };
  for (const fits of ["", "ab", "😀😀", "\ud800\ud800"]) assert.ok(evaluator.check(schema, fits).valid, fits);
  for (const long of ["abc", "😀😀a", "\ud800\ud800\ud800"]) {
    assert.ok(!evaluator.check(schema, long).valid, long);
  }
});

Deno.test("Evaluator matches each valid payload with exactly one alternative, and scores it above the other", () => {
  const document: SchemaDocument = schemas.insecurePosix;
  const [native, docker] = document.oneOf ?? [];
  assert.ok(native && docker);
  const evaluator = new Evaluator(document);
  for (
    const [payload, right, wrong] of [
      [full, native, docker],
      [minimal, native, docker],
      [fullDocker, docker, native],
      [minimalDocker, docker, native],
    ] as const
  ) {
    assert.ok(evaluator.check(right, payload).valid);
    assert.ok(!evaluator.check(wrong, payload).valid);
    assert.ok(evaluator.check(right, payload).score > evaluator.check(wrong, payload).score);
  }
});
