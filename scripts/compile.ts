/**
 * Compiles the worker: `deno task compile [--engine NAME] [--target TRIPLE] [--out DIR] [--runtime auto|official|npm]`.
 * Two runs on one commit give the same bytes, wherever the checkout lies.
 */

import { createHash } from "node:crypto";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bundleTarget } from "./bundle.ts";
import { filesBelow } from "./file_tree.ts";
import { print } from "./print.ts";
import { runProgram } from "./run_program.ts";
import { binaryName, type Target, targets, v8Flags } from "./targets.ts";
import { findToolchain, type RuntimeChoice } from "./toolchain.ts";

/** What to compile and where to. */
export interface CompileOptions {
  /** The checkout. Absolute. */
  readonly root: string;
  /** Folder for the binary. Absolute. */
  readonly out: string;
  readonly runtime: RuntimeChoice;
  /** Keeps runtimes that were fetched. Absolute. */
  readonly cacheDirectory: string;
}

/** Modification time of every embedded file: the binary holds it, so it must not depend on the day. */
const embeddedTime = new Date("2000-01-01T00:00:00Z");

/**
 * Compiles one target.
 * @returns the binary's path
 */
export async function compileTarget(target: Target, options: CompileOptions): Promise<string> {
  const toolchain = await findToolchain(target.triple, options);
  const directory = await Deno.makeTempDir({ prefix: "generic-worker-compile-" });
  try {
    const bundle = await bundleTarget(target, { root: options.root, directory });
    const parts = await freezeTimes(bundle);
    await Deno.writeTextFile(join(bundle, "deno.json"), "{}\n");
    await Deno.mkdir(options.out, { recursive: true });
    const binary = join(options.out, binaryName(target));
    await runProgram([
      toolchain.deno,
      "compile",
      "--target",
      target.triple,
      "--no-check",
      "--no-lock",
      "--no-prompt",
      "--no-code-cache",
      ...target.permissions,
      ...(v8Flags.length > 0 ? [`--v8-flags=${v8Flags.join(",")}`] : []),
      ...parts.flatMap((part) => ["--include", part]),
      "--output",
      binary,
      "main.js",
    ], { cwd: bundle, env: toolchain.env });
    print(`Compiled ${binary} with ${toolchain.description}`);
    return binary;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Compiles what the command line asks for and writes `SHA256SUMS` beside it. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      engine: { type: "string" },
      target: { type: "string", default: Deno.build.target },
      out: { type: "string", default: "dist" },
      runtime: { type: "string", default: Deno.env.get("COMPILE_RUNTIME") ?? "auto" },
    },
  });
  const wanted = targets.filter((target) =>
    target.triple === values.target && (values.engine === undefined || target.engine === values.engine)
  );
  if (wanted.length === 0) throw new Error(unknownTarget(values.engine, values.target));
  const root = resolve(import.meta.dirname ?? "", "..");
  const options = {
    root,
    out: resolve(values.out),
    runtime: runtimeChoice(values.runtime),
    cacheDirectory: join(root, "build", "toolchain"),
  };
  for (const target of wanted) await compileTarget(target, options);
  await writeChecksums(options.out);
}

/** @returns what the bundle holds besides `main.js`, relative to it */
async function freezeTimes(bundle: string): Promise<string[]> {
  const paths = await filesBelow(bundle);
  for (const path of paths) await Deno.utime(path, embeddedTime, embeddedTime);
  return paths.map((path) => relative(bundle, path)).filter((name) => name !== "main.js");
}

async function writeChecksums(out: string): Promise<void> {
  const names = [...Deno.readDirSync(out)].map((entry) => entry.name).filter((name) =>
    name.startsWith("generic-worker-")
  );
  const lines = await Promise.all(
    names.sort().map(async (name) => {
      const digest = createHash("sha256").update(await Deno.readFile(join(out, name))).digest("hex");
      return `${digest}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(join(out, "SHA256SUMS"), lines.join(""));
}

function runtimeChoice(text: string): RuntimeChoice {
  if (text === "auto" || text === "official" || text === "npm") return text;
  throw new Error(`Unknown runtime ${text}: it is one of auto, official, npm`);
}

function unknownTarget(engine: string | undefined, triple: string): string {
  const known = targets.map((target) => `${target.engine} ${target.triple}`).join(", ");
  return `Cannot compile ${engine ?? "any engine"} for ${triple}: what is built is ${known}`;
}

if (import.meta.main) await main();
