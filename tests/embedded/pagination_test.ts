import { strict as assert } from "node:assert";
import fc from "fast-check";
import { paginate, sortedBy } from "../../src/embedded/pagination.ts";
import { ApiError } from "../../src/embedded/service.ts";

const itself = (key: string) => key;

function query(limit: number, token?: string): URLSearchParams {
  return new URLSearchParams({
    limit: String(limit),
    ...(token === undefined ? {} : { continuationToken: token }),
  });
}

Deno.test("paginate() hands out every item once, in order, whatever the page size and the names", () => {
  fc.assert(fc.property(
    fc.uniqueArray(fc.string({ unit: "binary" }), { maxLength: 30 }),
    fc.integer({ min: 1, max: 12 }),
    (names, limit) => {
      const items = sortedBy(names, itself);
      const seen: string[] = [];
      let token: string | undefined;
      do {
        const page = paginate(items, { query: query(limit, token), key: itself });
        assert.ok(page.items.length <= limit);
        seen.push(...page.items);
        token = page.more.continuationToken;
      } while (token !== undefined);
      assert.deepEqual(seen, items);
    },
  ));
});

Deno.test("paginate() neither repeats nor hides items when others come and go between pages", () => {
  const first = paginate(["b", "d", "f"], { query: query(2), key: itself });
  assert.deepEqual(first.items, ["b", "d"]);
  const second = paginate(["a", "c", "d", "e", "f"], {
    query: query(2, first.more.continuationToken),
    key: itself,
  });
  assert.deepEqual(second, { items: ["e", "f"], more: {} });
});

Deno.test("paginate() refuses limits and tokens that are none", () => {
  const invalid: Record<string, string>[] = [{ limit: "0" }, { limit: "-1" }, { limit: "many" }, {
    continuationToken: "%%%",
  }, { continuationToken: "gICA" }];
  for (const parameters of invalid) {
    assert.throws(
      () => paginate(["a"], { query: new URLSearchParams(parameters), key: itself }),
      (error) => error instanceof ApiError && error.status === 400,
      JSON.stringify(parameters),
    );
  }
});

Deno.test("paginate() gives at most 1000 items a page", () => {
  const items = Array.from({ length: 1001 }, (_, i) => String(i).padStart(4, "0"));
  assert.equal(paginate(items, { query: query(5000), key: itself }).items.length, 1000);
  assert.equal(paginate(items, { query: new URLSearchParams(), key: itself }).items.length, 1000);
});
