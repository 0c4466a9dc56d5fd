/** Every package is pinned and earns its place. */

import assert from "node:assert/strict";
import { moduleImports } from "../../scripts/module_imports.ts";
import { importMap, modulesBelow } from "./tree.ts";

const packages = Object.entries(importMap()).filter(([name]) => !name.startsWith("#"));
const used = new Set(
  ["src", "scripts", "tests"].flatMap(modulesBelow).flatMap(({ source }) => moduleImports(source))
    .map(({ specifier }) => specifier),
);

Deno.test("packages of the import map are pinned to one version each", () => {
  const loose = packages.filter(([, target]) =>
    !/^npm:(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+[\w.-]*(\/.*)?$/.test(target)
  );
  assert.deepEqual(loose, []);
});

Deno.test("packages of the import map are all used", () => {
  assert.deepEqual(packages.map(([name]) => name).filter((name) => !used.has(name)), []);
});

Deno.test("modules import packages by the names of the import map only", () => {
  const known = new Set(Object.keys(importMap()));
  const foreign = [...used].filter((name) => !/^(\.|node:)/.test(name) && !known.has(name));
  assert.deepEqual(foreign, []);
});
