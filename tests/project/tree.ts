/** The project's own files, for the tests that read them. */

import { dirname, join, relative, resolve } from "node:path";
import { moduleImports } from "../../scripts/module_imports.ts";

/** The checkout. Absolute. */
export const root: string = resolve(import.meta.dirname ?? "", "../..");

/** A TypeScript module. */
export interface Module {
  /** Relative to the checkout. */
  readonly path: string;
  readonly source: string;
}

/** An import, with what it points to resolved. */
export interface ResolvedImport {
  readonly from: string;
  /** A path relative to the checkout, or the specifier of a package or built-in module. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Modules below a folder, relative to the checkout, sorted by path. */
export function modulesBelow(folder: string): Module[] {
  return filesBelow(folder)
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => ({ path, source: Deno.readTextFileSync(join(root, path)) }));
}

/** The import map of `deno.json`. */
export function importMap(): Readonly<Record<string, string>> {
  const manifest: { imports: Record<string, string> } = JSON.parse(
    Deno.readTextFileSync(join(root, "deno.json")),
  );
  return manifest.imports;
}

/** All imports of a module. Names of the import map that stand for files are resolved to them. */
export function resolvedImports(module: Module): ResolvedImport[] {
  const names = importMap();
  return moduleImports(module.source).map(({ specifier, typeOnly }) => {
    const mapped = specifier.startsWith("#") ? names[specifier] ?? specifier : undefined;
    const base = mapped === undefined ? dirname(module.path) : "";
    const target = mapped ?? specifier;
    const to = target.startsWith(".") ? relative(root, resolve(root, base, target)) : target;
    return { from: module.path, to, typeOnly };
  });
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory ? filesBelow(path) : [path];
  });
}
