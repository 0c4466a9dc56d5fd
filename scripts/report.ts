/** Prints test reports as they arrive, and the total at the end. */

import { sumCounts } from "./junit.ts";
import { print } from "./print.ts";
import type { TestReport } from "./run_test_file.ts";

const slowestShown = 15;

/** Prints one report: a line, and everything it said when something failed. */
export function printReport(report: TestReport): void {
  const { passed, failed, skipped } = report.counts;
  const verdict = failed === 0 ? "ok    " : "FAILED";
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  print(`${verdict} ${seconds(report.durationMs)}  ${report.name}: ${counts}`);
  if (failed > 0) print(`${report.output.trimEnd()}\n`);
}

/**
 * Prints the slowest reports and, as the last line, the total.
 * @returns the exit code: 0 when something passed and nothing failed
 */
export function printTotal(reports: readonly TestReport[]): number {
  const slowest = reports.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, slowestShown);
  print("\nSlowest:");
  for (const report of slowest.reverse()) print(`${seconds(report.durationMs)}  ${report.name}`);
  const failed = reports.filter((report) => report.counts.failed > 0);
  if (failed.length > 0) print("\nFailed:");
  for (const report of failed) print(report.name);
  const total = sumCounts(reports.map((report) => report.counts));
  print(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1).padStart(6)} s`;
}
