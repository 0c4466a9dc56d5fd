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
  const ready = join(directory, "ready");
  if (await exists(ready)) return { python };
  await Deno.mkdir(cacheDirectory(), { recursive: true });
  const created = await run("python3", ["-m", "venv", "--clear", directory]);
  if (created === undefined) return { missing: "there is no python3" };
  if (created.code !== 0) throw new Error(`Cannot create a virtual environment: ${created.output}`);
  const installed = await run(python, ["-m", "pip", "install", "--quiet", "--retries", "1", requirement]);
  if (installed?.code !== 0) return whyNotInstalled(installed?.output ?? "");
  await Deno.writeTextFile(ready, "");
  return { python };
}

function whyNotInstalled(output: string): PythonClient {
  if (/connection broken|timed out|from versions: none/i.test(output)) {
    return { missing: `pip reaches no registry: ${output.trim().split("\n").at(-1)}` };
  }
  throw new Error(`Cannot install ${requirement}: ${output}`);
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
