import assert from "node:assert/strict";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { ArchiveError } from "../../src/archive/mod.ts";
import { attempt, type Scene, withScene } from "./extraction.ts";
import { paxPart, setChecksum, tarOf, type TarPart } from "./tar_bytes.ts";
import { zipOf, type ZipPart } from "./zip_bytes.ts";

const untouched = ['precious 0644 "precious"'];

async function refuses(parts: readonly TarPart[], reason: RegExp, entry: string): Promise<void> {
  await withScene(async ({ extract, surroundings }) => {
    const outcome = await extract(tarOf(parts), "tar");
    assert.ok(outcome instanceof ArchiveError, "it was extracted");
    assert.match(outcome.reason, reason);
    assert.equal(outcome.entry, entry);
    assert.deepEqual(surroundings(), untouched);
  });
}

Deno.test("unarchive() refuses names that lead out of the destination", async () => {
  for (const name of ["../outside/new", "a/../../outside/new", "/../outside/new", "..", "a/.././.."]) {
    await refuses([{ name, content: "x" }], new RegExp(`^illegal file path in archive: ${name}$`), name);
  }
  await refuses([{ name: "../new", type: "5" }], /^illegal file path in archive: \.\.\/new$/, "../new");
  await refuses([paxPart([["path", "a/../../x"]]), { name: "x" }], /^illegal file path/, "a/../../x");
  await refuses([paxPart([["path", "a\0b"]]), { name: "x" }], /^illegal file path/, "a\0b");
  await refuses([{ name: ".", content: "x" }], /^illegal file path in archive: \.$/, ".");
});

Deno.test("unarchive() refuses links whose targets lead out of the destination", async () => {
  const symbolic = { name: "d/l", type: "2", link: "../../outside" };
  await refuses([symbolic], /^illegal symlink target in archive: d\/l -> \.\.\/\.\.\/outside$/, "d/l");
  const hard = { name: "l", type: "1", link: "../outside/precious" };
  await refuses([hard], /^illegal hardlink target in archive: l -> \.\.\/outside\/precious$/, "l");
});

Deno.test("K33: unarchive() does not write through an absolute link that the archive made before", async () => {
  await withScene(async ({ extract, root, surroundings }) => {
    const link = { name: "l", type: "2", link: `${root}/outside` };
    for (
      const next of [{ name: "l/new", content: "x" }, { name: "l/d", type: "5" }, { name: "l", type: "5" }]
    ) {
      const outcome = await extract(tarOf([link, next]), "tar");
      assert.ok(outcome instanceof ArchiveError);
      assert.match(outcome.reason, /a symbolic link on the way leads outside/);
      assert.deepEqual(surroundings(), untouched);
      await Deno.remove(`${root}/destination/l`);
    }
  });
  await withScene(async ({ extract, root, surroundings }) => {
    const link = { name: "l", type: "2", link: `${root}/outside/precious` };
    const outcome = await extract(tarOf([link, { name: "l", content: "x" }]), "tar");
    assert.match(String(outcome), /a symbolic link is in its place/);
    assert.deepEqual(surroundings(), untouched);
  });
});

Deno.test("K33: unarchive() does not follow links that were in the destination before, out of it", async () => {
  await withScene(async ({ extract, destination, root, surroundings }) => {
    Deno.symlinkSync("../outside", `${destination}/relative`);
    Deno.symlinkSync(`${root}/outside/precious`, `${destination}/file`);
    Deno.symlinkSync("loop", `${destination}/loop`);
    for (const name of ["relative/new", "file", "loop/x", "file/x"]) {
      assert.ok(await extract(tarOf([{ name, content: "x" }]), "tar") instanceof ArchiveError, name);
    }
    assert.deepEqual(surroundings(), untouched);
  });
});

Deno.test("W-45: unarchive() does not escape through links that lead outside only when chained", async () => {
  await withScene(async ({ extract, surroundings }) => {
    const parts = [
      { name: "a/b", type: "5", mode: 0o755 },
      { name: "x", type: "2", link: "a/b" },
      { name: "a/b/up", type: "2", link: "../.." },
      { name: "escape", type: "2", link: "x/up/../outside" },
      { name: "escape/new", content: "x" },
    ];
    const outcome = await extract(tarOf(parts), "tar");
    assert.ok(outcome instanceof ArchiveError);
    assert.match(outcome.reason, /leads outside/);
    assert.equal(outcome.entry, "escape/new");
    assert.deepEqual(surroundings(), untouched);
  });
});

Deno.test("W-45: unarchive() makes no hard link to a file outside by way of a link", async () => {
  await withScene(async ({ extract, root, surroundings }) => {
    const parts = [
      { name: "l", type: "2", link: `${root}/outside` },
      { name: "stolen", type: "1", link: "l/precious" },
      { name: "stolen", content: "overwritten" },
    ];
    assert.ok(await extract(tarOf(parts), "tar") instanceof ArchiveError);
    assert.equal(Deno.statSync(`${root}/outside/precious`).nlink, 1);
    assert.deepEqual(surroundings(), untouched);
  });
});

Deno.test("unarchive() never writes outside while another process swaps a directory for a link", async () => {
  await withScene(async (scene) => {
    const { archive, destination, root, surroundings } = scene;
    const swapper = await startSwapper(scene);
    try {
      const names = Array.from({ length: 300 }, (_, index) => `d${index % 7}/e/f${index}`);
      const tar = tarOf(names.map((name) => ({ name, content: name })));
      const zip = zipOf(names.map((name) => ({ name, content: name })));
      let refused = 0;
      for (let round = 0; round < 40 || (refused === 0 && round < 1000); round++) {
        const [bytes, format] = round % 2 ? [tar, "tar"] as const : [zip, "zip"] as const;
        const outcome = await attempt({ source: archive(bytes), destination, format });
        if (outcome instanceof ArchiveError) refused++;
      }
      assert.ok(refused > 0, "the other process was never in the way: this test proves nothing");
      assert.deepEqual(surroundings(), untouched);
      assert.equal(Deno.statSync(`${root}/outside`).isDirectory, true);
    } finally {
      Deno.kill(-swapper.pid, "SIGKILL");
      await swapper.status;
    }
  });
});

/** A process that keeps exchanging `d3` and `d3/e` with links to the directory outside, once it is under way. */
async function startSwapper({ destination, root }: Scene): Promise<Deno.ChildProcess> {
  const script = `
    cd "$1" && echo ready
    while :; do
      mkdir -p d3/e; mv d3 "$2/aside.$$" 2>/dev/null; ln -s "$2/outside" d3 2>/dev/null; rm -f d3
      mkdir -p d3/e; rm -rf d3/e; ln -s ../../outside d3/e 2>/dev/null; rm -f d3/e; rm -rf "$2/aside.$$"
    done`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "sh", destination, root],
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

const tarParts: readonly TarPart[] = [
  { name: "d", type: "5", mode: 0o755 },
  { name: "d/f", content: "content".repeat(100) },
  paxPart([["path", "d/pax"], ["mtime", "1.5"]]),
  { name: "x", content: "y" },
  { name: "././@LongLink", type: "L", content: "d/long\0" },
  { name: "x", content: "z" },
  { name: "l", type: "2", link: "d/f" },
  { name: "h", type: "1", link: "d/f" },
  paxPart([["GNU.sparse.size", "5"], ["GNU.sparse.map", "1,2"], ["GNU.sparse.name", "sparse"]]),
  { name: "s", content: "ab" },
];
const zipParts: readonly ZipPart[] = [
  { name: "d/", unixMode: 0o040755, method: 0 },
  { name: "d/f", content: "content".repeat(100) },
  { name: "stored", content: "stored", method: 0 },
  { name: "l", content: "d/f", unixMode: 0o120777 },
];

/** Extracts damaged bytes; it must fail properly or succeed, and touch nothing outside. */
async function survives(bytes: Uint8Array, format: string): Promise<void> {
  await withScene(async ({ archive, destination, surroundings }) => {
    await attempt({ source: archive(bytes), destination, format, times: true });
    assert.deepEqual(surroundings(), untouched);
  });
}

Deno.test("unarchive() fails properly or succeeds whatever bits of an archive are flipped", async () => {
  const samples = [
    ["tar", tarOf(tarParts)],
    ["zip", zipOf(zipParts)],
    ["tar.gz", new Uint8Array(gzipSync(tarOf(tarParts)))],
  ] as const;
  const flips = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...samples), flips, async ([format, whole], changes) => {
      const bytes = whole.slice();
      for (const [place, mask] of changes) bytes[Math.floor(place * (bytes.length - 1))]! ^= mask;
      await survives(bytes, format);
    }),
    { numRuns: 300 },
  );
});

Deno.test("unarchive() fails properly or succeeds whatever a tar header with a right checksum says", async () => {
  const change = fc.record({
    part: fc.nat(tarParts.length - 1),
    at: fc.nat(511),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const parts = tarParts.map((part, index) => ({
        ...part,
        change: (header: Uint8Array) => {
          for (const { part, at, bytes } of changes) {
            if (part === index) header.set(bytes.subarray(0, 512 - at), at);
          }
          setChecksum(header);
        },
      }));
      await survives(tarOf(parts), "tar");
    }),
    { numRuns: 300 },
  );
});

Deno.test("unarchive() fails properly or succeeds for any pax record", async () => {
  const key = fc.constantFrom(
    "path",
    "linkpath",
    "size",
    "mtime",
    "GNU.sparse.size",
    "GNU.sparse.map",
    "GNU.sparse.major",
  );
  const record = fc.tuple(
    key,
    fc.oneof(fc.string(), fc.constantFrom("1", "-1", "1.5", "../x", "1,2", "99999999999")),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 4 }),
      fc.constantFrom("0", "1", "2", "5", "S"),
      async (records, type) => {
        await survives(tarOf([paxPart(records), { name: "f", type, link: "g", content: "abc" }]), "tar");
      },
    ),
    { numRuns: 200 },
  );
});
