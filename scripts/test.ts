/**
 * Runs all checks and tests: `deno task test [WORD…]`; with words only test files whose path contains one of them, and
 * no checks. Fast tests run on every Deno version that the code supports, whole-worker tests on the compiled binary
 * (its path is in `GENERIC_WORKER_BINARY`). The last line is the total.
 */

import pLimit from "p-limit";
import { join, resolve } from "node:path";
import { runCheck, styleChecks, typeCheck } from "./checks.ts";
import { compileTarget } from "./compile.ts";
import { denoExecutable } from "./deno_version.ts";
import { noTests } from "./junit.ts";
import { fallbackDeno } from "./pinned.ts";
import { print } from "./print.ts";
import { printReport, printTotal } from "./report.ts";
import { runTestFile, type TestReport, type TestRuntime } from "./run_test_file.ts";
import { targets } from "./targets.ts";
import { findTestFiles, type TestFile } from "./test_plan.ts";

/** Test files at a time. More than the machine's two cores: tests wait for processes and sockets a lot. */
const filesAtATime = 3;

const root = resolve(import.meta.dirname ?? "", "..");
const running: TestRuntime = { executable: Deno.execPath(), version: Deno.version.deno };

/** Does everything and returns the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const reports: TestReport[] = [];
  const add = (report: TestReport) => {
    reports.push(report);
    printReport(report);
  };
  const files = await findTestFiles(root, words);
  const older = await olderRuntime(add);
  const runtimes = older === undefined ? [running] : [running, older];
  if (words.length === 0) await runChecks(runtimes, add);

  const binary = files.some((file) => file.kind === "binary") ? await compileBinary(add) : undefined;
  const env = binary === undefined ? {} : { GENERIC_WORKER_BINARY: binary };
  const limit = pLimit(filesAtATime);
  await Promise.all(
    jobs(files, runtimes).map(({ path, runtime }) =>
      limit(async () => add(await runTestFile(path, { runtime, cwd: root, env })))
    ),
  );
  return printTotal(reports);
}

/** Longest first, as whole-worker tests are the slow ones. */
function jobs(files: readonly TestFile[], runtimes: readonly TestRuntime[]) {
  const order = ["binary", "once", "fast"] as const;
  return order.flatMap((kind) =>
    files.filter((file) => file.kind === kind).flatMap(({ path }) =>
      (kind === "fast" ? runtimes : [running]).map((runtime) => ({ path, runtime }))
    )
  );
}

async function runChecks(runtimes: readonly TestRuntime[], add: (report: TestReport) => void): Promise<void> {
  for (const args of styleChecks()) add(await runCheck(args, { runtime: running, cwd: root }));
  for (const runtime of runtimes) add(await runCheck(typeCheck, { runtime, cwd: root }));
}

async function olderRuntime(add: (report: TestReport) => void): Promise<TestRuntime | undefined> {
  if (running.version === fallbackDeno) return undefined;
  try {
    return { executable: await denoExecutable(fallbackDeno), version: fallbackDeno };
  } catch (error) {
    add(failure(`fetch Deno ${fallbackDeno}`, error));
    return undefined;
  }
}

/** Compiles the insecure engine for this machine; without a binary the tests that need it fail. */
async function compileBinary(add: (report: TestReport) => void): Promise<string | undefined> {
  const target = targets.find(({ engine, triple }) => engine === "insecure" && triple === Deno.build.target);
  try {
    if (!target) throw new Error(`Nothing is built for ${Deno.build.target}`);
    return await compileTarget(target, {
      root,
      out: join(root, "build", "test"),
      runtime: "auto",
      cacheDirectory: join(root, "build", "toolchain"),
    });
  } catch (error) {
    add(failure("compile the worker", error));
    return undefined;
  }
}

function failure(name: string, error: unknown): TestReport {
  return { name, counts: { ...noTests, failed: 1 }, durationMs: 0, output: String(error) };
}

if (Deno.args.some((word) => word.startsWith("-"))) print("Usage: deno task test [WORD…]");
Deno.exit(await main(Deno.args.filter((word) => !word.startsWith("-"))));
