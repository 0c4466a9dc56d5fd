/** The small things everything else prints and counts with. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { formatByteSize } from "../../src/base/byte_size.ts";
import { formatDuration } from "../../src/base/duration.ts";
import { LinkedSignal } from "../../src/base/linked_signal.ts";
import { Secret } from "../../src/base/secret.ts";
import { shellCommandLine, shellEscape } from "../../src/base/shell_escape.ts";
import { stableJson } from "../../src/base/stable_json.ts";
import { backoffPausesMs } from "../../src/base/backoff.ts";

Deno.test("formatDuration writes durations as the field does", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [0.25, "250µs"],
    [1.5, "1.5ms"],
    [999.123456, "999.123456ms"],
    [1500, "1.5s"],
    [60_000, "1m0s"],
    [7_200_250, "2h0m0.25s"],
    [5000.123, "5.000123s"],
    [3_603_500, "1h0m3.5s"],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

Deno.test("formatByteSize has two decimals from one KiB on and none below (K28)", () => {
  assert.equal(formatByteSize(14.52 * 1024 ** 3), "14.52 GiB");
  assert.equal(formatByteSize(5000 * 1024 ** 3), "5000.00 GiB");
  assert.equal(formatByteSize(1024), "1.00 KiB");
  assert.equal(formatByteSize(1023), "1023 B");
});

Deno.test("shellEscape writes the examples of the specification", () => {
  assert.equal(shellCommandLine(["ls", "-l", "/tmp/a.txt"]), "ls -l '/tmp/a.txt'");
  assert.equal(shellEscape("don't"), "don\\'t");
  assert.equal(shellEscape("x y'"), "'x y'\\'");
  assert.equal(shellEscape("'a b'"), "\\''a b'\\'");
  assert.equal(shellEscape(""), "''");
});

Deno.test("shellEscape gives back the same arguments through a real shell", () => {
  const argument = fc.string({ unit: fc.constantFrom(..."aZ9_/:=-'\"\\ $`!*?.,+@%~#;&|<>(){}[]\n\té€") });
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 8 }), (words) => {
      const script = `printf '%s\\0' ${shellCommandLine(words)}`;
      const output = execFileSync("/bin/sh", ["-c", script]).toString();
      assert.deepEqual(output.split("\0").slice(0, -1), words);
    }),
    { numRuns: 60, seed: 7 },
  );
});

Deno.test("stableJson sorts keys by code point and escapes what HTML cares for", () => {
  assert.equal(
    stableJson({ b: "<&>", a: [1, { d: null, c: "é" }] }).replace(/\s+/g, ""),
    '{"a":[1,{"c":"é","d":null}],"b":"\\u003c\\u0026\\u003e"}',
  );
  assert.deepEqual(Object.keys(JSON.parse(stableJson({ "\u{1F600}": 1, "\uFFFD": 2 }))), [
    "\uFFFD",
    "\u{1F600}",
  ]);
});

Deno.test("a Secret shows itself nowhere", () => {
  const secret = new Secret("hunter2");
  for (const shown of [String(secret), JSON.stringify({ secret }), Deno.inspect(secret), `${secret}`]) {
    assert.ok(!shown.includes("hunter2"), shown);
  }
  assert.equal(secret.reveal(), "hunter2");
});

Deno.test("backoffPausesMs grows by half up to a minute and spreads by half", () => {
  const steady = backoffPausesMs({ random: () => 0.5 });
  const pauses = Array.from({ length: 20 }, () => steady.next().value);
  assert.deepEqual(pauses.slice(0, 3), [500, 750, 1125]);
  assert.equal(pauses.at(-1), 60_000);
  assert.equal(backoffPausesMs({ random: () => 0 }).next().value, 250);
});

Deno.test("a linked signal aborts with any source, and lets go of them when disposed of", () => {
  const one = new AbortController();
  const two = new AbortController();
  const linked = new LinkedSignal([one.signal, undefined, two.signal]);
  two.abort(new Error("two"));
  assert.equal(linked.signal.reason.message, "two");
  const other = new LinkedSignal([one.signal]);
  other[Symbol.dispose]();
  one.abort();
  assert.equal(other.signal.aborted, false);
});
