import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";

interface Dependency {
  readonly code?: { readonly specifier: string };
  readonly isDynamic?: boolean;
}

interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly { readonly specifier: string; readonly dependencies?: readonly Dependency[] }[];
}

const root = new URL("../../", import.meta.url);

/** What is loaded when a module is imported: all it imports itself, without what it may import later. */
async function loadedBy(path: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", path],
    cwd: fileURLToPath(root),
    env: { NO_COLOR: "1" },
  }).output();
  const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const loaded = new Set<string>(graph.roots);
  for (const specifier of loaded) {
    const module = graph.modules.find((each) => each.specifier === specifier);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code && !isDynamic) loaded.add(code.specifier);
    }
  }
  return [...loaded];
}

for (
  const path of [
    "main.ts",
    "src/cli/version.ts",
    "src/cli/short_version.ts",
    "src/cli/show_payload_schema.ts",
    "src/cli/new_ed25519_keypair.ts",
    "src/cli/copy_to_temp_file.ts",
    "src/cli/create_file.ts",
    "src/cli/create_dir.ts",
    "src/cli/status.ts",
  ]
) {
  Deno.test(`${path} loads no package, no service and no settings, to start fast`, async () => {
    const loaded = await loadedBy(path);
    assert.ok(loaded.some((specifier) => specifier.endsWith(path)));
    const light =
      /\/(main\.ts|deno\.json|schemas\/[^/]+|src\/(cli|base|log)\/[^/]+|src\/engine\/\w+_name\.ts|src\/platform\/temporary_directory\.ts)$/;
    const heavy = loaded.filter((specifier) => !light.test(specifier));
    assert.deepEqual(heavy, []);
  });
}
