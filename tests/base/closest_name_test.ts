import { strict as assert } from "node:assert";
import { closestName } from "../../src/base/closest_name.ts";

const known = ["run", "run-task", "status", "check-config", "capacity"];

Deno.test("closestName() finds what was meant, case aside", () => {
  assert.equal(closestName("stauts", known), "status");
  assert.equal(closestName("CAPCITY", known), "capacity");
  assert.equal(closestName("chek-confg", known), "check-config");
  assert.equal(closestName("runtask", known), "run-task");
});

Deno.test("closestName() offers nothing that resembles the word only by being short", () => {
  assert.equal(closestName("xyz", known), undefined);
  assert.equal(closestName("", known), undefined);
  assert.equal(closestName("completely-different", known), undefined);
});
