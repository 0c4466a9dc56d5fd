import assert from "node:assert/strict";
import { moduleImports } from "../../scripts/module_imports.ts";

Deno.test("moduleImports() finds every way to import", () => {
  const source = `
/** Says import { no } from "comment"; */
// import "line_comment";
import "./side_effect.ts";
import { a } from "./one.ts";
import type { B } from "./type.ts";
import {
  c,
  type D,
} from "./many_lines.ts";
export { e } from "./again.ts";
export * from "./all.ts";
const text = "from \\"./string.ts\\"";
const f = await import("./dynamic.ts");
`;
  assert.deepEqual(moduleImports(source), [
    { specifier: "./side_effect.ts", typeOnly: false },
    { specifier: "./one.ts", typeOnly: false },
    { specifier: "./type.ts", typeOnly: true },
    { specifier: "./many_lines.ts", typeOnly: false },
    { specifier: "./again.ts", typeOnly: false },
    { specifier: "./all.ts", typeOnly: false },
    { specifier: "./dynamic.ts", typeOnly: false },
  ]);
});
