import assert from "node:assert/strict";
import { canonicalKey } from "../../../src/features/payload_validator/canonical_key.ts";

const same: readonly [string, string][] = [
  ["1", "1.0"],
  ["9007199254740992", "9007199254740993"],
  ['{"a":1,"b":2}', '{"b":2,"a":1}'],
  ['[{"b":[],"a":{}}]', '[{"a":{},"b":[]}]'],
  ['"\\ud800"', '"\\ufffd"'],
  ['"\\udc00a"', '"\\ud83da"'],
  ['"\\u0041"', '"A"'],
];

const different: readonly [string, string][] = [
  ["0", "-0"],
  ["[0]", "[-0]"],
  ["1", '"1"'],
  ["true", '"true"'],
  ["null", '"null"'],
  ["[]", "{}"],
  ["[[],[]]", "[[[]]]"],
  ["[1,2]", "[2,1]"],
  ["[1,2]", "[12]"],
  ['["a,b"]', '["a","b"]'],
  ['["a\\",\\"b"]', '["a","b"]'],
  ['{"a":"b"}', '["a","b"]'],
  ['{"a:b":1}', '{"a":{"b":1}}'],
  ['{"__proto__":1}', "{}"],
  ['"a"', '"A"'],
  ['"\\ud83d\\ude00"', '"\\ufffd\\ufffd"'],
];

for (const [a, b] of same) {
  Deno.test(`canonicalKey() is the same for ${a} and ${b}`, () => {
    assert.equal(canonicalKey(JSON.parse(a)), canonicalKey(JSON.parse(b)));
  });
}

for (const [a, b] of different) {
  Deno.test(`canonicalKey() differs for ${a} and ${b}`, () => {
    assert.notEqual(canonicalKey(JSON.parse(a)), canonicalKey(JSON.parse(b)));
  });
}
