/** State belongs to objects that are passed down, so that two workers in one process do not share any. */

import assert from "node:assert/strict";
import { modulesBelow } from "./tree.ts";

Deno.test("modules of src/ hold no mutable state at top level", () => {
  const variables = /^(?:export )?(?:let|var) .*$/gm;
  const toBeFilled = /^(?:export )?const .* = (?:new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\)|\[\]|\{\});$/gm;
  const found = modulesBelow("src").flatMap(({ path, source }) =>
    [...source.matchAll(variables), ...source.matchAll(toBeFilled)].map(([line]) => `${path}: ${line}`)
  );
  assert.deepEqual(found, []);
});
