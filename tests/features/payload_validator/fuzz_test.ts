/** Payloads nobody would write: the answer is always a payload or a sentence, and the verdict is ajv's. */

import assert from "node:assert/strict";
import { Ajv, type ValidateFunction } from "ajv";
import fc from "fast-check";
import { isDateTime } from "../../../src/features/payload_validator/date_time.ts";
import { isUri } from "../../../src/features/payload_validator/uri.ts";
import { validatePayload } from "../../../src/features/payload_validator/validate_payload.ts";
import { full, fullDocker, type Json, minimal, minimalDocker, schemas } from "./payloads.ts";

const seed = 20260801;
const runs = 10_000;
const fullWindows: Json = {
  ...full,
  command: ["echo a", ""],
  rdpInfo: "login",
  features: { hideCmdWindow: true },
};
const validPayloads = [full, fullDocker, minimal, minimalDocker, fullWindows];

const hostileNames = [
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "length",
    "",
    "(root)",
    "0",
  ],
  ...[
    "image",
    "command",
    "maxRunTime",
    "type",
    "content",
    "format",
    "$ref",
    "a.b",
    "a/b",
    "~1",
    "\n",
    "\u0000",
  ],
  ...["\ud800", "\u2028", "😀", "٣", "x".repeat(3000)],
];
const extremeNumbers = [
  ...[0, -0, 1, -1, 0.5, 1e-320, 255, 256, 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63), 1e21, 1e308, -1e308],
  ...[Infinity, -Infinity, Number.MAX_VALUE, Number.MIN_VALUE],
];
const tellingTexts = [
  ...[
    "",
    "file",
    "directory",
    "gzip",
    "tar.gz",
    "localhost",
    "2030-01-01",
    "10:00:00",
    "2030-02-30T00:00:00Z",
  ],
  ...[
    "9999-12-31T23:59:59-24:00",
    "https://example.com",
    "x:",
    "\\",
    "%zz",
    "http://[::1]%",
    "ü".repeat(1025),
  ],
  ...["A".repeat(65537), "[taskcluster:error] no", "line\nline", "\ud83d"],
];

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...extremeNumbers),
  fc.constantFrom(...tellingTexts),
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [{}], [null], ["a", "a"], [0, -0]),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.integer({ min: 1, max: 2000 }).map((depth) => nested(depth)),
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(fc.constantFrom(...hostileNames), fc.constantFrom<unknown>("a", 1, null, {}), { maxKeys: 3 }),
);

/** What is done to one place of a payload. */
type Mutation =
  | { readonly kind: "replace" | "append"; readonly value: unknown }
  | { readonly kind: "rename" | "add"; readonly name: string; readonly value: unknown }
  | { readonly kind: "delete" | "repeat" };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constantFrom("replace", "append"), value: odd }),
  fc.record({
    kind: fc.constantFrom("rename", "add"),
    name: fc.oneof(fc.constantFrom(...hostileNames), fc.string({ unit: "binary", maxLength: 5 })),
    value: odd,
  }),
  fc.record({ kind: fc.constantFrom("delete", "repeat") }),
);

const mutated: fc.Arbitrary<unknown> = fc.tuple(
  fc.constantFrom(...validPayloads),
  fc.array(fc.record({ where: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }), mutation }), {
    maxLength: 3,
  }),
).map(([base, steps]) =>
  steps.reduce<unknown>((payload, step) => applied(payload, step.where, step.mutation), base)
);

const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 1, arbitrary: odd },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom(...Object.keys({ ...full, ...fullDocker }), ...hostileNames),
      odd,
      {
        maxKeys: 6,
      },
    ),
  },
);

/** Follows the numbers down into the value, as far as there is something, and changes what is there. */
function applied(value: unknown, where: readonly number[], what: Mutation): unknown {
  if (typeof value !== "object" || value === null || where.length === 0) return changed(value, what);
  const keys = Object.keys(value);
  if (keys.length === 0) return changed(value, what);
  const [step = 0, ...rest] = where;
  const key = keys[step % keys.length]!;
  if (Array.isArray(value)) return appliedToArray(value, Number(key), { rest, what });
  const entries = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    if (name !== key) return [[name, member]];
    if (rest.length > 0) return [[name, applied(member, rest, what)]];
    if (what.kind === "delete") return [];
    if (what.kind === "rename") return [[what.name, member]];
    return [[name, changed(member, what)]];
  });
  return Object.fromEntries(entries);
}

function appliedToArray(
  items: readonly unknown[],
  index: number,
  { rest, what }: { rest: readonly number[]; what: Mutation },
): unknown[] {
  if (rest.length === 0 && what.kind === "delete") return items.toSpliced(index, 1);
  if (rest.length === 0 && what.kind === "repeat") return [...items, items[index]];
  return items.with(index, applied(items[index], rest, what));
}

function changed(value: unknown, what: Mutation): unknown {
  if (what.kind === "replace" || what.kind === "rename") return what.value;
  if (what.kind === "append") return Array.isArray(value) ? [...value, what.value] : [value, what.value];
  if (what.kind !== "add") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { [what.name]: what.value };
  return Object.fromEntries([...Object.entries(value), [what.name, what.value]]);
}

/** Arrays and objects in turn. */
function nested(depth: number): unknown {
  let value: unknown = "end";
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Whether the schema alone says yes, by an independent implementation. */
function oracle(schema: Json): ValidateFunction {
  const ajv = new Ajv({ strict: false, validateSchema: false, meta: false, ownProperties: true });
  ajv.addFormat("date-time", isDateTime);
  ajv.addFormat("uri", isUri);
  // ajv's own multipleOf refuses 1e21, and its uniqueItems takes 0 and -0 for equal.
  ajv.removeKeyword("multipleOf");
  return ajv.compile(schema);
}

/** What ajv sees differently by design: sizes beyond 64 bits, signed zeros, and what decoding makes equal. */
function isContested(value: unknown): boolean {
  if (typeof value === "number") return Math.abs(value) > 2 ** 63 || Object.is(value, -0);
  if (typeof value === "string") return !value.isWellFormed();
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, member]) => !key.isWellFormed() || isContested(member));
}

function isSentence(violation: string): boolean {
  return /^(?:\(root\)|[^]+): \S[^]{10,}$/.test(violation) && violation.length < 5000;
}

for (const [name, schema] of Object.entries(schemas)) {
  Deno.test(`validatePayload() gives ${runs} hostile payloads a payload or a sentence (${name}, seed ${seed})`, () => {
    const says = { native: 0, docker: 0, invalid: 0 };
    fc.assert(
      fc.property(anything, (payload) => {
        const check = validatePayload(payload, schema);
        says[check.kind]++;
        if (check.kind === "invalid") {
          assert.ok(check.violations.length > 0);
          for (const violation of check.violations) assert.ok(isSentence(violation), violation);
        } else if (check.kind === "native") {
          assert.ok(Array.isArray(check.payload.command) && check.payload.command.length > 0);
          assert.ok(Number.isInteger(check.payload.maxRunTime) && check.payload.maxRunTime >= 1);
          for (const { expires } of check.payload.artifacts) {
            if (expires !== undefined) assert.ok(Number.isFinite(Date.parse(expires)), expires);
          }
        }
      }),
      { numRuns: runs, seed },
    );
    assert.ok(says.invalid > runs / 4 && says.native > runs / 50, JSON.stringify(says));
  });

  Deno.test(`validatePayload() agrees with ajv on what the schema allows (${name}, seed ${seed})`, () => {
    const isValid = oracle(schema);
    let compared = 0;
    fc.assert(
      fc.property(anything, (payload) => {
        if (isContested(payload)) return;
        compared++;
        const check = validatePayload(payload, schema);
        // The worker refuses two things more, in words that the schema's own messages do not use.
        const refusedBeyondSchema = check.kind === "invalid" &&
          check.violations.every((line) => /is not a moment|Must not be empty unless/.test(line));
        assert.equal(check.kind !== "invalid" || refusedBeyondSchema, isValid(payload));
      }),
      { numRuns: runs, seed },
    );
    assert.ok(compared > runs / 2, `${compared}`);
  });
}
