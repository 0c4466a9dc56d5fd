import { strict as assert } from "node:assert";
import {
  missingScopes,
  placeholders,
  requiredScopes,
  satisfiesRequirement,
  type ScopeExpression,
} from "../../src/embedded/scope_expression.ts";
import { serviceReferences } from "../../src/embedded/api_reference.ts";

Deno.test("requiredScopes puts a list inside AllOf as demands, inside AnyOf as alternatives", () => {
  const each = { for: "p", in: "ps", each: "x:<p>:<q>" };
  const values = { ps: ["1", "2"], q: "z" };
  assert.deepEqual(requiredScopes({ AllOf: ["a", each] }, values), { AllOf: ["a", "x:1:z", "x:2:z"] });
  assert.deepEqual(requiredScopes({ AnyOf: [each] }, values), { AnyOf: ["x:1:z", "x:2:z"] });
  assert.deepEqual(requiredScopes(each, { ps: [], q: "z" }), { AllOf: [] });
});

Deno.test("requiredScopes chooses by a condition", () => {
  const expression = { if: "readOnly", then: "read:<x>", else: "write:<x>" };
  assert.equal(requiredScopes(expression, { readOnly: "true", x: "1" }), "read:1");
  assert.equal(requiredScopes(expression, { readOnly: "false", x: "1" }), "write:1");
  assert.deepEqual(requiredScopes({ if: "c", then: "x" }, { c: "false" }), { AllOf: [] });
});

Deno.test("requiredScopes takes a value for one, however scope-like it is", () => {
  assert.equal(requiredScopes("get:<name>", { name: "<name>$&" }), "get:<name>$&");
});

Deno.test("requiredScopes finds handlers that give no value", () => {
  assert.throws(() => requiredScopes("get:<name>", {}), /no value for <name>/);
  assert.throws(() => requiredScopes({ for: "n", in: "names", each: "<n>" }, { names: "text" }), /<names>/);
});

Deno.test("placeholders names what every expression of the reference needs, loop variables left out", () => {
  const create = serviceReferences.flatMap(({ entries }) => entries).find(({ name }) =>
    name === "createTask"
  );
  const expected = [
    "scopes",
    "routes",
    "projectId",
    "schedulerId",
    "priorities",
    "provisionerId",
    "workerType",
  ];
  assert.deepEqual(placeholders(create?.scopes ?? ""), expected);
});

Deno.test("satisfiesRequirement needs all of AllOf and one of AnyOf", () => {
  const required = { AllOf: ["a", { AnyOf: ["b", "c"] }] };
  const cases: [string[], boolean][] = [[["a", "c"], true], [["a"], false], [["b", "c"], false], [
    ["*"],
    true,
  ]];
  for (const [held, satisfied] of cases) {
    assert.equal(satisfiesRequirement(held, required), satisfied, held.join());
  }
  assert.equal(satisfiesRequirement([], { AllOf: [] }), true);
  assert.equal(satisfiesRequirement(["*"], { AnyOf: [] }), false);
});

Deno.test("missingScopes leaves out what is held", () => {
  const required = { AllOf: ["a", "b", { AnyOf: ["c", "d"] }] };
  assert.deepEqual(missingScopes(["a"], required), { AllOf: ["b", { AnyOf: ["c", "d"] }] });
  assert.equal(missingScopes(["a", "d"], required), "b");
  assert.equal(missingScopes(["*"], required), undefined);
});

Deno.test("every scope expression of the reference can be filled in and satisfied", () => {
  for (const { serviceName, entries } of serviceReferences) {
    for (const { name, scopes } of entries) {
      if (!scopes) continue;
      const lists = listNames(scopes);
      const values = Object.fromEntries(
        placeholders(scopes).map((placeholder) => [placeholder, lists.has(placeholder) ? ["v"] : "v"]),
      );
      const required = requiredScopes(scopes, values);
      assert.doesNotMatch(JSON.stringify(required), /<\w+>/, `${serviceName}.${name}`);
      assert.ok(satisfiesRequirement(["*"], required), `${serviceName}.${name}`);
      assert.ok(!satisfiesRequirement([], required), `${serviceName}.${name}`);
    }
  }
});

function listNames(expression: ScopeExpression): Set<string> {
  return new Set([...JSON.stringify(expression).matchAll(/"in":"(\w+)"/g)].map(([, name]) => name ?? ""));
}
