/** Runs the program as a person or script does: the compiled binary where one is at hand, else the sources. */

import { fileURLToPath } from "node:url";

/** How to call the program. */
export interface GenericWorkerCommand {
  readonly program: string;
  /** Words before those of the command line. */
  readonly words: readonly string[];
  /** Variables that the program needs even where a test empties its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface GenericWorkerResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what it runs. */
export interface GenericWorkerSurroundings {
  readonly cwd?: string;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Leave the environment of the test out. */
  readonly clearEnv?: boolean;
}

/** The binary that `GENERIC_WORKER_BINARY` names, else `deno run main.ts`. */
export function genericWorkerCommand(): GenericWorkerCommand {
  const binary = Deno.env.get("GENERIC_WORKER_BINARY");
  if (binary) return { program: binary, words: [], env: {} };
  const root = new URL("../../", import.meta.url);
  const path = (name: string) => fileURLToPath(new URL(name, root));
  const words = [
    "run",
    "--allow-all",
    "--no-lock",
    "--quiet",
    "--config",
    path("deno.json"),
    path("main.ts"),
  ];
  return { program: Deno.execPath(), words, env: packageCache() };
}

/** Runs a command line to its end. */
export async function genericWorker(
  words: readonly string[],
  surroundings: GenericWorkerSurroundings = {},
): Promise<GenericWorkerResult> {
  const command = genericWorkerCommand();
  const { env, ...rest } = surroundings;
  const { code, stdout, stderr } = await new Deno.Command(command.program, {
    args: [...command.words, ...words],
    env: { NO_COLOR: "1", ...command.env, ...env },
    ...rest,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Deno finds its packages by these; a compiled binary has them inside. */
function packageCache(): Record<string, string> {
  const names = ["DENO_DIR", "HOME", "XDG_CACHE_HOME"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
