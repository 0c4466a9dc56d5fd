/** Counts outcomes in the JUnit report that `deno test` writes. */

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** Counts of a report. A step of a test counts like a test; an ignored test is a skipped one. */
export function countJunit(xml: string): TestCounts {
  const cases = xml.split("<testcase ").slice(1);
  const failed = cases.filter((text) => /<(failure|error)\b/.test(text)).length;
  const skipped = cases.filter((text) => /<skipped\b/.test(text)).length;
  return { passed: cases.length - failed - skipped, failed, skipped };
}

/** Adds counts up. */
export function sumCounts(all: readonly TestCounts[]): TestCounts {
  return all.reduce((sum, next) => ({
    passed: sum.passed + next.passed,
    failed: sum.failed + next.failed,
    skipped: sum.skipped + next.skipped,
  }), noTests);
}
