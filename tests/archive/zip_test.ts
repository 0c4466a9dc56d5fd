import assert from "node:assert/strict";
import { ArchiveError } from "../../src/archive/mod.ts";
import { attempt, withScene } from "./extraction.ts";
import { bytesOf, joined } from "./tar_bytes.ts";
import { fields, zipOf, type ZipPart } from "./zip_bytes.ts";

const untouched = ['precious 0644 "precious"'];

async function treeOf(parts: readonly ZipPart[], options: { prefix?: Uint8Array } = {}): Promise<string[]> {
  let tree: string[] = [];
  await withScene(async ({ extract }) => {
    const outcome = await extract(zipOf(parts, options), "zip");
    if (outcome instanceof ArchiveError) throw outcome;
    tree = outcome;
  });
  return tree;
}

async function refuses(bytes: Uint8Array, reason: RegExp): Promise<void> {
  await withScene(async ({ extract, surroundings }) => {
    const outcome = await extract(bytes, "zip");
    assert.ok(outcome instanceof ArchiveError, "it was extracted");
    assert.match(outcome.message, reason);
    assert.deepEqual(surroundings(), untouched);
  });
}

Deno.test("unarchive() extracts zip entries stored and deflated with mode, directories and symbolic links", async () => {
  const parts = [
    { name: "d/", unixMode: 0o040700, method: 0 },
    { name: "d/run", content: "deflated ".repeat(3), unixMode: 0o100755 },
    { name: "stored", content: "as it is", method: 0 },
    { name: "empty" },
    { name: "made/by/parents", content: "x" },
    { name: "l", content: "d/run", unixMode: 0o120777 },
    { name: "dos", content: "no mode", unixMode: 0 },
    { name: "pipe", unixMode: 0o010644 },
  ];
  assert.deepEqual(await treeOf(parts), [
    "d/ 0700",
    'd/run 0755 "deflated deflated deflated "',
    'dos 0644 "no mode"',
    'empty 0644 ""',
    "l -> d/run",
    "made/ 0755",
    "made/by/ 0755",
    'made/by/parents 0644 "x"',
    'pipe 0644 ""',
    'stored 0644 "as it is"',
  ]);
});

Deno.test("unarchive() finds a zip archive behind other bytes and in front of a comment", async () => {
  const parts = [{ name: "f", content: "x" }];
  assert.deepEqual(await treeOf(parts, { prefix: bytesOf("#!/bin/sh\nexit 1\n") }), ['f 0644 "x"']);
  const bytes = joined([zipOf(parts).subarray(0, -2), fields([[2, 7]]), bytesOf("comment")]);
  await withScene(async ({ extract }) => assert.deepEqual(await extract(bytes, "zip"), ['f 0644 "x"']));
});

Deno.test("unarchive() reads zip names in UTF-8, marked or not, and in code page 437", async () => {
  const parts = [
    { name: "märked", flags: 1 << 11, content: "1" },
    { name: "unmärked", content: "2" },
    { name: new Uint8Array([0x6f, 0x6c, 0x84]), content: "3" },
  ];
  assert.deepEqual(await treeOf(parts), ['märked 0644 "1"', 'olä 0644 "3"', 'unmärked 0644 "2"']);
});

Deno.test("unarchive() reads sizes and offsets of zip64", async () => {
  const content = "zip64";
  const extra = fields([[2, 1], [2, 24], [8, content.length], [8, content.length], [8, 0]]);
  const part = { name: "f", content, method: 0, extra, says: { size: 0xffffffff, offset: 0xffffffff } };
  const bytes = zipOf([part]);
  const table = bytes.length - 22 - 46 - 1 - extra.length;
  new DataView(bytes.buffer).setUint32(table + 20, 0xffffffff, true);
  await withScene(async ({ extract }) => assert.deepEqual(await extract(bytes, "zip"), ['f 0644 "zip64"']));

  const end64 = joined([
    fields([[4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, 1], [8, 1], [
      8,
      47 + extra.length,
    ], [8, table]]),
    fields([[4, 0x07064b50], [4, 0], [8, bytes.length - 22], [4, 1]]),
    fields([[4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, 0xffffffff], [4, 0xffffffff], [
      2,
      0,
    ]]),
  ]);
  const whole64 = joined([bytes.subarray(0, -22), end64]);
  await withScene(async ({ extract }) => assert.deepEqual(await extract(whole64, "zip"), ['f 0644 "zip64"']));
  const behind = joined([bytesOf("junk"), whole64]);
  await withScene(async ({ extract }) => assert.deepEqual(await extract(behind, "zip"), ['f 0644 "zip64"']));
});

Deno.test("unarchive() applies the extended timestamp of a zip entry when asked", async () => {
  await withScene(async ({ extract, destination }) => {
    const extra = fields([[2, 0x5455], [2, 5], [1, 1], [4, 1_234_567_890]]);
    await extract(zipOf([{ name: "f", content: "x", extra }]), "zip", { times: true });
    assert.equal(Deno.statSync(`${destination}/f`).mtime?.getTime(), 1_234_567_890_000);
  });
});

Deno.test("unarchive() streams large zip entries and checks them", async () => {
  const large = "0123456789abcdef".repeat(200_000);
  for (const method of [0, 8]) {
    await withScene(async ({ archive, destination }) => {
      const bytes = zipOf([{ name: "f", content: large, method }, { name: "g", content: "x" }]);
      const written = await attempt({ source: archive(bytes), destination, format: "zip" });
      assert.deepEqual(written, { entries: 2, bytes: large.length + 1 });
      assert.ok(Deno.readTextFileSync(`${destination}/f`) === large);
    });
    await refuses(
      zipOf([{ name: "f", content: large, method, says: { crc: 1 } }]),
      /wrong checksum .*entry "f", byte 0/,
    );
  }
  const bomb = { name: "f", content: large, says: { size: 2_000_000 } };
  await refuses(zipOf([bomb]), /more bytes than it declares/);
  await refuses(
    zipOf([{ name: "f", content: large, says: { size: 4_000_000 } }]),
    /fewer bytes than it declares/,
  );
});

Deno.test("unarchive() refuses zip entries it cannot or must not extract, with the reason", async () => {
  const ok = { name: "f", content: "x".repeat(50) };
  await refuses(zipOf([{ ...ok, flags: 1 }]), /encrypted.*entry "f", byte 0/);
  await refuses(zipOf([{ ...ok, method: 14 }]), /method 14 \(lzma\)/);
  await refuses(zipOf([{ ...ok, says: { crc: 1 } }]), /wrong checksum/);
  await refuses(zipOf([{ ...ok, says: { size: 49 } }]), /more bytes than it declares/);
  await refuses(zipOf([{ ...ok, says: { size: 51 } }]), /fewer bytes/);
  await refuses(zipOf([ok, { ...ok, name: "g", says: { offset: 0 } }]), /entries overlap/);
  await refuses(zipOf([ok, { ...ok, name: "g", says: { offset: 20 } }]), /overlap|header is damaged/);
  await refuses(zipOf([{ name: "../f", content: "x" }]), /^illegal file path in archive: \.\.\/f \(/);
  await refuses(
    zipOf([{ name: "l", content: "../x", unixMode: 0o120777 }]),
    /^illegal symlink target in archive: l -> \.\.\/x \(/,
  );
  await refuses(zipOf([{ name: "l", content: "x".repeat(40_000), unixMode: 0o120777 }]), /too long/);
});

Deno.test("unarchive() tells a zip archive cut at any byte from a whole one", async () => {
  const whole = zipOf([{ name: "f", content: "x".repeat(50) }, { name: "g", content: "y" }]);
  for (let size = 0; size < whole.length; size += 3) {
    await refuses(whole.slice(0, size), /empty file|no table of contents|not a zip/);
  }
});
