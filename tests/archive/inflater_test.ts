import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { Damage } from "../../src/archive/archive_error.ts";
import { type Inflater, openNativeInflater, runtimeInflater } from "../../src/archive/zip/inflater.ts";

const inflaters: [string, Inflater | undefined][] = [
  ["The host's inflater", openNativeInflater()],
  ["The runtime's inflater", runtimeInflater],
];

for (const [name, inflater] of inflaters) {
  Deno.test({
    name: `${name} gives exactly what was deflated and never more than is declared`,
    ignore: inflater === undefined,
    fn() {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(20), (bytes, repeats) => {
        const content = Buffer.concat(Array.from({ length: repeats }, () => bytes));
        const compressed = deflateRawSync(content);
        assert.ok(content.equals(inflater!.inflate(compressed, content.length)));
        if (content.length === 0) return;
        assert.throws(() => inflater!.inflate(compressed, content.length - 1), Damage);
        assert.throws(() => inflater!.inflate(compressed.subarray(0, -1), content.length), Damage);
      }));
    },
  });
}
