import { strict as assert } from "node:assert";
import fc from "fast-check";
import { expandedScopes, normalizedScopes, type RoleScopes } from "../../../src/embedded/auth/roles.ts";
import { scopesSatisfy } from "../../../src/services/scopes.ts";

const roles: RoleScopes[] = [
  { roleId: "reader", scopes: ["read:all", "assume:base"] },
  { roleId: "base", scopes: ["ping"] },
  { roleId: "repo:*", scopes: ["fetch:<..>", "assume:reader"] },
  { roleId: "hook:x/*", scopes: ["run:<..>:now"] },
  { roleId: "loop", scopes: ["assume:loop", "looped"] },
];

const expansions: [string, string[], string[]][] = [
  ["leaves scopes without roles as they are", ["a", "b*"], ["a", "b*"]],
  ["adds what a role has, and what its roles have", ["assume:reader"], [
    "assume:base",
    "assume:reader",
    "ping",
    "read:all",
  ]],
  ["puts the rest of a name into a parameterized role", ["assume:repo:a/b"], [
    "assume:base",
    "assume:reader",
    "assume:repo:a/b",
    "fetch:a/b",
    "ping",
    "read:all",
  ]],
  ["ends an inserted wildcard where it stands", ["assume:hook:x/*"], ["assume:hook:x/*", "run:*"]],
  ["inserts a part of a wildcard", ["assume:hook:x/y*"], ["assume:hook:x/y*", "run:y*"]],
  ["comes to an end with roles that assume themselves", ["assume:loop"], ["assume:loop", "looped"]],
  ["knows that a star holds everything", ["*"], ["*"]],
];
for (const [what, scopes, expected] of expansions) {
  Deno.test(`expandedScopes ${what}`, () => assert.deepEqual(expandedScopes(scopes, roles), expected));
}

Deno.test("K27: expandedScopes expands wildcards that cover `assume:` without spelling it", () => {
  const expanded = expandedScopes(["assum*"], roles);
  for (const scope of ["ping", "read:all", "looped", "fetch:*"]) assert.ok(expanded.includes(scope), scope);
});

const scopeText = fc.stringMatching(/^(assume:)?[ab:]{0,3}\*?$/);
const roleList = fc.array(
  fc.record({ roleId: fc.stringMatching(/^[ab:]{1,3}\*?$/), scopes: fc.array(scopeText, { maxLength: 3 }) }),
  { maxLength: 4 },
);

Deno.test("expandedScopes never takes anything away, and has nothing to add the second time", () => {
  fc.assert(fc.property(fc.array(scopeText, { maxLength: 4 }), roleList, (scopes, known) => {
    const once = expandedScopes(scopes, known);
    assert.ok(scopesSatisfy(once, [scopes]));
    assert.deepEqual(expandedScopes(once, known), once);
  }));
});

Deno.test("normalizedScopes keeps what the set satisfies, with no scope that another one covers", () => {
  fc.assert(fc.property(fc.array(scopeText, { maxLength: 8 }), (scopes) => {
    const normal = normalizedScopes(scopes);
    assert.ok(scopesSatisfy(normal, [scopes]));
    assert.ok(scopesSatisfy(scopes, [normal]));
    for (const scope of normal) {
      assert.ok(!scopesSatisfy(normal.filter((other) => other !== scope), [[scope]]), scope);
    }
  }));
});
