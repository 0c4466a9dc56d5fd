/** The stock Python client in a virtual environment of its own, kept in the user's cache between runs. */

import { join } from "node:path";

/** The newest on PyPI when these tests were written. */
const requirement = "taskcluster==113.2.0";

/** A Python interpreter that can import `taskcluster`, or why there is none. */
export type PythonClient = { readonly python: string } | { readonly missing: string };

/** Makes the virtual environment when it is not there yet. @throws Error when it breaks for another reason */
export async function pythonClient(): Promise<PythonClient> {
  const directory = join(cacheDirectory(), requirement);
  const python = join(directory, "bin", "python");
  if (await exists(directory)) return { python };
  await Deno.mkdir(cacheDirectory(), { recursive: true });
  // Made aside and renamed when complete: several test processes may want it at the same time.
  const draft = await Deno.makeTempDir({ dir: cacheDirectory() });
  try {
    const missing = await install(draft);
    if (missing !== undefined) return { missing };
    await renameUnlessThere(draft, directory);
  } finally {
    if (await exists(draft)) await Deno.remove(draft, { recursive: true });
  }
  return { python };
}

/** @returns why it cannot be installed on this machine, or undefined when it was */
async function install(directory: string): Promise<string | undefined> {
  const created = await run("python3", ["-m", "venv", directory]);
  if (created === undefined) return "there is no python3";
  if (created.code !== 0) throw new Error(`Cannot create a virtual environment: ${created.output}`);
  const python = join(directory, "bin", "python");
  const installed = await run(python, ["-m", "pip", "install", "--quiet", "--retries", "1", requirement]);
  if (installed?.code === 0) return undefined;
  const output = installed?.output.trim() ?? "";
  if (/connection broken|timed out|from versions: none/i.test(output)) {
    return `pip reaches no registry: ${output.split("\n").at(-1)}`;
  }
  throw new Error(`Cannot install ${requirement}: ${output}`);
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!await exists(to)) throw error;
  }
}

function cacheDirectory(): string {
  const root = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? Deno.cwd(), ".cache");
  return join(root, "generic-worker-tests");
}

/** Undefined when the program does not exist. */
async function run(command: string, args: string[]): Promise<{ code: number; output: string } | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, { args }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
