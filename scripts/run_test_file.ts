/** Runs one test file in a process of its own and counts what it reports. */

import { join } from "node:path";
import { denoEnvironment } from "./deno_version.ts";
import { countJunit, type TestCounts } from "./junit.ts";

/** A Deno that runs tests. */
export interface TestRuntime {
  readonly executable: string;
  readonly version: string;
}

/** One run of one file, or of one check. */
export interface TestReport {
  readonly name: string;
  readonly counts: TestCounts;
  readonly durationMs: number;
  /** All that it printed, when something failed; else empty. */
  readonly output: string;
}

/** A file that takes longer hangs. */
const fileTimeoutMs = 15 * 60_000;

/** The leak checks of `deno test`, which Deno 2.4 makes always and newer ones when told. */
function leakFlags(version: string): string[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || minor >= 8 ? ["--sanitize-ops", "--sanitize-resources"] : [];
}

/** How to run a test file. */
export interface TestFileOptions {
  readonly runtime: TestRuntime;
  readonly cwd: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further flags for `deno test`. */
  readonly flags?: readonly string[];
}

/** Runs a test file. A file that crashes, hangs, does not compile or holds no test counts as a failed test. */
export async function runTestFile(path: string, options: TestFileOptions): Promise<TestReport> {
  const directory = await Deno.makeTempDir({ prefix: "test-report-" });
  const junit = join(directory, "junit.xml");
  const log = join(directory, "log");
  const startedAtMs = performance.now();
  const exit = await runIntoFile(testCommand(path, { ...options, junit }), { ...options, log });
  const counts = honestCounts(countJunit(await readIfThere(junit)), exit.code);
  const output = counts.failed === 0 ? "" : `${await readIfThere(log)}${exit.hint}`;
  await Deno.remove(directory, { recursive: true });
  const durationMs = performance.now() - startedAtMs;
  return { name: `${path} (Deno ${options.runtime.version})`, counts, durationMs, output };
}

function testCommand(path: string, options: TestFileOptions & { readonly junit: string }): string[] {
  const { executable, version } = options.runtime;
  const flags = ["-A", "--no-check", "--frozen", ...leakFlags(version), ...(options.flags ?? [])];
  return [executable, "test", ...flags, `--junit-path=${options.junit}`, path];
}

/**
 * Runs a command with its output going into a file: a process that a test leaves behind would hold a pipe open and
 * be waited for.
 */
async function runIntoFile(
  command: readonly string[],
  options: TestFileOptions & { readonly log: string },
): Promise<{ readonly code: number; readonly hint: string }> {
  const signal = AbortSignal.timeout(fileTimeoutMs);
  const { code } = await new Deno.Command("sh", {
    args: ["-c", 'log=$1; shift; exec "$@" >"$log" 2>&1', "sh", options.log, ...command],
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...denoEnvironment, ...options.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    signal,
  }).spawn().status;
  return { code, hint: signal.aborted ? `\nStopped after ${fileTimeoutMs / 60_000} minutes` : "" };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function honestCounts(counts: TestCounts, exitCode: number): TestCounts {
  const ranNothing = counts.passed + counts.failed + counts.skipped === 0;
  const failedOutsideTests = exitCode !== 0 && counts.failed === 0;
  return ranNothing || failedOutsideTests ? { ...counts, failed: counts.failed + 1 } : counts;
}
