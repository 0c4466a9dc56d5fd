import assert from "node:assert/strict";
import { countJunit, sumCounts } from "../../scripts/junit.ts";

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.010">
    <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="says &lt;failure&gt;" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="passes" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="fails" classname="./a_test.ts" time="0.000" line="2" col="6">
            <failure message="Uncaught Error">Error: &lt;testcase </failure>
        </testcase>
        <testcase name="is ignored" classname="./a_test.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("countJunit() tells passed, failed and ignored tests apart", () => {
  assert.deepEqual(countJunit(report), { passed: 2, failed: 1, skipped: 1 });
});

Deno.test("countJunit() counts nothing in an empty report", () => {
  assert.deepEqual(countJunit(""), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("sumCounts() adds each kind up", () => {
  const counts = { passed: 1, failed: 2, skipped: 3 };
  assert.deepEqual(sumCounts([counts, counts]), { passed: 2, failed: 4, skipped: 6 });
});
