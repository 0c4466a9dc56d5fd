/** Reads which modules a TypeScript module imports, without running or compiling it. */

/** One import. */
export interface ModuleImport {
  readonly specifier: string;
  /** Vanishes when compiled. */
  readonly typeOnly: boolean;
}

const comments = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const statements = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s*)?"([^"]+)"/gm;
const calls = /\bimport\(\s*"([^"]+)"/g;

/** The static and dynamic imports (and re-exports) in a module's source, in no particular order. */
export function moduleImports(source: string): ModuleImport[] {
  const code = source.replaceAll(comments, "");
  return [
    ...code.matchAll(statements).map(([, type, specifier = ""]) => ({
      specifier,
      typeOnly: type !== undefined,
    })),
    ...code.matchAll(calls).map(([, specifier = ""]) => ({ specifier, typeOnly: false })),
  ];
}
