/** The checks that read the sources without running them: format, lint, types. */

import { denoEnvironment } from "./deno_version.ts";
import { noTests } from "./junit.ts";
import type { TestReport, TestRuntime } from "./run_test_file.ts";

/** Names of folders and files with code of ours. */
const code = ["main.ts", "src", "scripts", "tests"];

/** Format and lint rules are those of one Deno version, the developers'. */
export function styleChecks(): readonly (readonly string[])[] {
  return [["fmt", "--check"], ["lint"]];
}

/** Types are checked on every version that the code runs on. */
export const typeCheck: readonly string[] = ["check", "--quiet", "--frozen", ...code];

/** Runs one check, which counts as one test. */
export async function runCheck(
  args: readonly string[],
  options: { readonly runtime: TestRuntime; readonly cwd: string },
): Promise<TestReport> {
  const startedAtMs = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(options.runtime.executable, {
    args: [...args],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...denoEnvironment },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return {
    name: `deno ${args.join(" ")} (Deno ${options.runtime.version})`,
    counts: success ? { ...noTests, passed: 1 } : { ...noTests, failed: 1 },
    durationMs: performance.now() - startedAtMs,
    output: success ? "" : text.decode(stdout) + text.decode(stderr),
  };
}
