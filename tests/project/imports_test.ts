/** Imports point downwards, so that a part can be understood without what is built on it. */

import assert from "node:assert/strict";
import { modulesBelow, type ResolvedImport, resolvedImports } from "./tree.ts";

/** Folders of src/ by height. A folder imports itself and what is lower, never its neighbours. */
const heights: readonly (readonly string[])[] = [
  ["base"],
  ["config", "platform", "runner"],
  ["engine"],
  ["services"],
  ["log"],
  ["archive", "artifacts", "exposure"],
  ["task"],
  ["features"],
  ["worker"],
  ["embedded"],
  ["cli"],
];

/** Folders that import less than their height allows. */
const restricted: Readonly<Record<string, readonly string[]>> = {
  config: ["base"],
  platform: ["base"],
  runner: ["base"],
  embedded: ["base", "services"],
};

/** Who may know which operating system it runs on: the adapters, and the module that says what the binary is. */
const systemAware = /^src\/(platform\/|engine\/|cli\/build_info\.ts$)/;

/** How scopes are compared, which is the same on both sides. */
const scopes = "src/services/scopes.ts";

const modules = modulesBelow("src");
const imports = modules.flatMap(resolvedImports);

Deno.test("imports of src/ point downwards", () => {
  const wrong = imports.filter((entry) => entry.to.startsWith("src/") && !pointsDown(entry));
  assert.deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("imports of src/ stay inside src/, the schemas and the manifest", () => {
  const outside = imports.filter(({ to }) => /^(main\.ts|scripts|tests|\.\.)/.test(to));
  assert.deepEqual(outside.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("every folder of src/ has a height", () => {
  const folders = [...Deno.readDirSync("src")].filter((entry) => entry.isDirectory).map(({ name }) => name);
  assert.deepEqual(folders.filter((name) => height(name) < 0), []);
});

Deno.test("main.ts imports commands only", () => {
  const [main] = modulesBelow(".").filter(({ path }) => path === "main.ts");
  assert.ok(main);
  const wrong = resolvedImports(main).filter(({ to }) => !to.startsWith("src/cli/"));
  assert.deepEqual(wrong.map(({ to }) => to), []);
});

Deno.test("features do not import each other", () => {
  const feature = (path: string) => /^src\/features\/([^/]+)\//.exec(path)?.[1];
  const wrong = imports.filter(({ from, to }) => {
    const [one, other] = [feature(from), feature(to)];
    return one !== undefined && other !== undefined && one !== other;
  });
  assert.deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("the embedded Taskcluster takes nothing but types and scopes from the service clients", () => {
  const wrong = imports.filter(({ from, to, typeOnly }) =>
    from.startsWith("src/embedded/") && to.startsWith("src/services/") && !typeOnly && to !== scopes
  );
  assert.deepEqual(wrong.map(({ from, to }) => `${from} imports ${to}`), []);
});

Deno.test("only platform and engine ask for the operating system", () => {
  const asking = modules.filter(({ path, source }) =>
    !systemAware.test(path) && /\bDeno\.build\b(?!\.arch)|\bprocess\.platform\b|\bplatform\(\)/.test(source)
  );
  assert.deepEqual(asking.map(({ path }) => path), []);
});

Deno.test("modules look for no files beside themselves but threads, as a bundle has none", () => {
  const looking = modules.filter(({ source }) => {
    const threads = source.match(/new Worker\(new URL\("\.[^"]+\.ts", import\.meta\.url\)/g) ?? [];
    return source.match(/\bimport\.meta\b/g)?.length !== (threads.length || undefined);
  });
  assert.deepEqual(looking.map(({ path }) => path), []);
});

function pointsDown({ from, to }: ResolvedImport): boolean {
  const [source, target] = [folder(from), folder(to)];
  if (source === target) return true;
  const allowed = restricted[source];
  return allowed ? allowed.includes(target) : height(target) < height(source);
}

function folder(path: string): string {
  return path.split("/")[1] ?? "";
}

function height(name: string): number {
  return heights.findIndex((names) => names.includes(name));
}
