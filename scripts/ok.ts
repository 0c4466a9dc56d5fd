/** The gate before a commit: format, lint, types, import direction and all fast tests with leak tracing, on this Deno. */

import { resolve } from "node:path";
import { runCheck, styleChecks, typeCheck } from "./checks.ts";
import { printReport, printTotal } from "./report.ts";
import { runTestFile, type TestReport, type TestRuntime } from "./run_test_file.ts";
import { findTestFiles } from "./test_plan.ts";

const root = resolve(import.meta.dirname ?? "", "..");
const runtime: TestRuntime = { executable: Deno.execPath(), version: Deno.version.deno };
const reports: TestReport[] = [];

function add(report: TestReport): void {
  reports.push(report);
  printReport(report);
}

for (const args of [...styleChecks(), typeCheck]) add(await runCheck(args, { runtime, cwd: root }));
for (const { path, kind } of await findTestFiles(root, Deno.args)) {
  if (kind !== "binary") add(await runTestFile(path, { runtime, cwd: root, flags: ["--trace-leaks"] }));
}
Deno.exit(printTotal(reports));
