/** Which caches go first when disk space runs short. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type CacheEntry, neverUsed, timeOf } from "../../../src/features/mounts/cache_entry.ts";
import { removalsForSpace, surplusDirectories } from "../../../src/features/mounts/garbage.ts";

function entry(key: string, more: Partial<CacheEntry> = {}): CacheEntry {
  return {
    key,
    location: `caches/${key}`,
    created: "2026-01-01T00:00:00Z",
    hits: 1,
    sha256: "",
    inUse: false,
    lastUsed: neverUsed,
    ...more,
  };
}

const keyed = (entries: readonly CacheEntry[]) => new Map(entries.map((one) => [one.key, one]));
const day = (number: number) => `2026-01-${String(number).padStart(2, "0")}T00:00:00Z`;

Deno.test("garbage collection takes files before directories, and what was used longest ago first", () => {
  const removals = removalsForSpace({
    files: keyed([entry("f2", { lastUsed: day(20) }), entry("f0"), entry("f1", { lastUsed: day(3) })]),
    directories: new Map([
      ["d", [entry("d", { location: "caches/d2", lastUsed: day(2) }), entry("d", { lastUsed: day(1) })]],
      ["e", [entry("e")]],
    ]),
  });
  assert.deepEqual(removals.map(({ location }) => location), [
    "caches/f0",
    "caches/f1",
    "caches/f2",
    "caches/e",
    "caches/d",
    "caches/d2",
  ]);
});

Deno.test("garbage collection compares times, not texts: offsets and fractions count", () => {
  const removals = removalsForSpace({
    files: keyed([
      entry("late", { lastUsed: "2026-08-01T10:00:00.5+02:00" }),
      entry("early", { lastUsed: "2026-08-01T08:00:00.123456789Z" }),
    ]),
    directories: new Map(),
  });
  assert.deepEqual(removals.map(({ location }) => location), ["caches/early", "caches/late"]);
});

Deno.test("W-34: garbage collection leaves a file alone while any key of it is in use", () => {
  const shared = { location: "downloads/shared" };
  const free = removalsForSpace({
    files: keyed([
      entry("a", shared),
      entry("b", { ...shared, lastUsed: day(9) }),
      entry("c", { lastUsed: day(5) }),
    ]),
    directories: new Map(),
  });
  // The file was last used by its latest key.
  assert.deepEqual(free.map(({ entries }) => entries.map(({ key }) => key)), [["c"], ["a", "b"]]);
  const used = removalsForSpace({
    files: keyed([entry("a", shared), entry("b", { ...shared, inUse: true })]),
    directories: new Map([["d", [entry("d", { inUse: true })]]]),
  });
  assert.deepEqual(used, []);
});

Deno.test("surplus directories are the oldest available ones beyond the capacity, name by name", () => {
  const table = new Map([
    [
      "a",
      [1, 2, 3, 4].map((number) => entry("a", { location: `caches/a${number}`, lastUsed: day(5 - number) })),
    ],
    ["b", [entry("b"), entry("b", { inUse: true }), entry("b", { inUse: true })]],
  ]);
  assert.deepEqual(surplusDirectories(table, 2).map(({ location }) => location), ["caches/a4", "caches/a3"]);
});

Deno.test("planning of 10 000 caches takes well below a second", () => {
  const entries = Array.from({ length: 10_000 }, (_, at) => entry(`k${at}`, { lastUsed: day(1 + at % 28) }));
  const startMs = performance.now();
  const removals = removalsForSpace({ files: keyed(entries), directories: new Map() });
  assert.equal(removals.length, 10_000);
  assert.ok(performance.now() - startMs < 500);
});

Deno.test("garbage collection plans nothing twice, nothing in use, and everything else", () => {
  const arbitraryEntry = fc.record({
    key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    location: fc.constantFrom("1", "2", "3", "4"),
    lastUsed: fc.constantFrom(neverUsed, day(1), day(2), day(3)),
    inUse: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(arbitraryEntry), (records) => {
    const files = keyed(records.map((record) => entry(record.key, record)));
    const removals = removalsForSpace({ files, directories: new Map() });
    const planned = removals.flatMap(({ entries }) => entries);
    const busy = new Set([...files.values()].filter(({ inUse }) => inUse).map(({ location }) => location));
    assert.equal(new Set(planned).size, planned.length);
    assert.deepEqual(
      new Set(planned.map(({ key }) => key)),
      new Set([...files.values()].filter(({ location }) => !busy.has(location)).map(({ key }) => key)),
    );
    const ages = removals.map(({ entries }) => Math.max(...entries.map(({ lastUsed }) => timeOf(lastUsed))));
    assert.deepEqual(ages, ages.toSorted((a, b) => a - b));
  }));
});
