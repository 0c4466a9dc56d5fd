/** Finds the executable of a given Deno version: the running one, or the one npm delivers. */

import { runProgram } from "./run_program.ts";

/**
 * Environment every started Deno gets. Deno 2.4 otherwise refuses the certificate of a TLS proxy that only the
 * system's store knows.
 */
export const denoEnvironment: Readonly<Record<string, string>> = { DENO_TLS_CA_STORE: "mozilla,system" };

/**
 * Path of the Deno executable of a version, installing it through npm when another one is running.
 * @throws Error when npm cannot deliver it
 */
export async function denoExecutable(version: string): Promise<string> {
  if (Deno.version.deno === version) return Deno.execPath();
  return await runProgram(
    ["npx", "-y", `deno@${version}`, "eval", "--no-config", "console.log(Deno.execPath())"],
    { env: denoEnvironment },
  );
}
