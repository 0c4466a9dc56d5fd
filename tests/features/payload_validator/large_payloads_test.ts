/** Payloads made to be slow or deep: one task must not stop the worker that runs others beside it. */

import assert from "node:assert/strict";
import { validatePayload } from "../../../src/features/payload_validator/validate_payload.ts";
import { minimal, schemas, violationsOf } from "./payloads.ts";

/** Far above what it takes (at most 3 s), far below what anything quadratic would. */
const patienceMs = 30_000;

function nestedText(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

const manyNumbers = Array.from({ length: 100_000 }, (_, i) => i + 1);

const large: Readonly<Record<string, () => unknown>> = {
  "arrays 100 000 deep at the root": () => JSON.parse(nestedText(100_000)),
  "arrays 100 000 deep as a command": () => ({ ...minimal, command: [JSON.parse(nestedText(100_000))] }),
  "arrays 100 000 deep, twice, where items must be unique": () => ({
    ...minimal,
    artifacts: [JSON.parse(nestedText(100_000)), JSON.parse(nestedText(100_000))],
  }),
  "objects 10 000 deep, twice, where items must be unique": () => ({
    ...minimal,
    osGroups: JSON.parse(`[${Array(2).fill('{"a":'.repeat(10_000) + "1" + "}".repeat(10_000)).join()}]`),
  }),
  "100 000 mounts that are nothing": () => ({ ...minimal, mounts: manyNumbers.map(() => ({})) }),
  "100 000 mounts with two kinds of content": () => ({
    ...minimal,
    mounts: manyNumbers.map(() => ({ file: "a", content: { raw: "", url: "" } })),
  }),
  "100 000 equal artifacts": () => ({ ...minimal, artifacts: manyNumbers.map(() => ({ type: "file" })) }),
  "100 000 unknown keys": () => Object.fromEntries(manyNumbers.map((i) => [`key${i}`, i])),
  "a name of 20 MB": () => ({ ...minimal, ["x".repeat(20_000_000)]: 1 }),
  "base64 of 20 MB": () => ({
    ...minimal,
    mounts: [{ file: "a", content: { base64: "A".repeat(20_000_000) + "!" } }],
  }),
  "text of 20 MB that is no date": () => ({
    ...minimal,
    artifacts: [{ type: "file", path: "a", expires: "2030-01-01T00:00:00." + "1".repeat(20_000_000) }],
  }),
};

for (const [what, make] of Object.entries(large)) {
  Deno.test(`validatePayload() refuses ${what} in good time and few words`, () => {
    const payload = make();
    const startMs = performance.now();
    const violations = violationsOf(payload);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < patienceMs, `took ${Math.round(tookMs)} ms`);
    assert.ok(violations.length > 0 && violations.length <= 2200, `${violations.length} lines`);
    assert.ok(violations.every((line) => line.length < 5000));
  });
}

Deno.test("validatePayload() accepts 100 000 of everything that may be many, in good time", () => {
  const payload = {
    ...minimal,
    command: manyNumbers.map((i) => ["echo", `${i}`]),
    env: Object.fromEntries(manyNumbers.map((i) => [`V${i}`, "x"])),
    artifacts: manyNumbers.map((i) => ({ type: "file", path: `${i}` })),
    osGroups: manyNumbers.map(String),
    onExitStatus: { retry: manyNumbers, purgeCaches: manyNumbers },
  };
  const startMs = performance.now();
  assert.equal(validatePayload(payload, schemas.insecurePosix).kind, "native");
  assert.ok(performance.now() - startMs < patienceMs);
});

Deno.test("validatePayload() says how many violations it does not list", () => {
  const violations = violationsOf({ ...minimal, osGroups: manyNumbers });
  assert.equal(violations.at(-1), "(root): There are 99000 more violations, which are not listed");
});
