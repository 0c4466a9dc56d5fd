/** gzip members, read back by another implementation. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { gzipBytes, GzipMember, isIncompressible, StoredGzip } from "../../src/base/gzip_member.ts";

/** The runtime's other decoder: refuses anything but one whole member. */
async function strictGunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Bytes with repetitions in them, so that dictionaries matter. */
const content = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(1000).fill(65))),
  {
    maxLength: 20,
  },
);

Deno.test("GzipMember gives one member, whatever the pieces", async () => {
  await fc.assert(
    fc.asyncProperty(content, async (pieces) => {
      const member = new GzipMember({ fileName: "a.log" });
      const parts = [member.header];
      for (const piece of pieces) parts.push(...await member.push(piece));
      parts.push(...await member.finish());
      const decoded = await strictGunzip(new Uint8Array(Buffer.concat(parts)));
      assert.deepEqual(Buffer.from(decoded), Buffer.concat(pieces));
    }),
    { numRuns: 60 },
  );
});

Deno.test("GzipMember leaves its input alone, so that a buffer can be used again", async () => {
  const member = new GzipMember();
  const buffer = new Uint8Array(100_000);
  const parts = [member.header];
  const pieces: Uint8Array[] = [];
  for (let round = 0; round < 5; round++) {
    crypto.getRandomValues(buffer.subarray(0, 50_000));
    pieces.push(buffer.slice());
    parts.push(...await member.push(buffer));
  }
  parts.push(...await member.finish());
  assert.deepEqual(gunzipSync(Buffer.concat(parts)), Buffer.concat(pieces));
});

Deno.test("StoredGzip is as long as it said, and holds the content", async () => {
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 65_530, max: 65_540 }),
    fc.integer({ max: 600_000, min: 0 }),
  );
  await fc.assert(
    fc.asyncProperty(sizes, fc.string(), async (sizeBytes, fileName) => {
      const data = new Uint8Array(sizeBytes).map((_, index) => index * 7);
      const member = new StoredGzip(sizeBytes, { fileName });
      const parts = [member.header];
      for (let at = 0; at < sizeBytes || at === 0; at += StoredGzip.pieceBytes) {
        const into = new Uint8Array(StoredGzip.framedPieceBytes);
        parts.push(member.frame(data.subarray(at, at + StoredGzip.pieceBytes), into));
      }
      const whole = new Uint8Array(Buffer.concat(parts));
      assert.equal(whole.length, member.lengthBytes);
      assert.ok(Buffer.from(await strictGunzip(whole)).equals(Buffer.from(data)));
    }),
    { numRuns: 40 },
  );
});

Deno.test("gzipBytes() names the original where the format can, and gives the same bytes each time", () => {
  const bytes = new TextEncoder().encode("content");
  const named = Buffer.from(gzipBytes(bytes, { fileName: "na\u00efve.txt" }));
  assert.equal(named.subarray(10, 19).toString("latin1"), "na\u00efve.txt");
  assert.equal(named[3], 8);
  const unnamed = gzipBytes(bytes, { fileName: "\u65e5\u672c.txt" });
  assert.equal(unnamed[3], 0);
  assert.deepEqual(unnamed, gzipBytes(bytes));
  assert.equal(gunzipSync(unnamed).toString(), "content");
});

Deno.test("isIncompressible() tells random bytes from text", () => {
  assert.equal(isIncompressible(crypto.getRandomValues(new Uint8Array(65_536))), true);
  assert.equal(isIncompressible(new TextEncoder().encode("words and words again ".repeat(3_000))), false);
});
