import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { ArchiveError } from "../../src/archive/mod.ts";
import { attempt, withScene } from "./extraction.ts";
import { tarOf } from "./tar_bytes.ts";
import { zipOf } from "./zip_bytes.ts";

const tar = tarOf([{ name: "f", content: "x" }]);
const contents = { tar, gz: new Uint8Array(gzipSync(tar)), zip: zipOf([{ name: "f", content: "x" }]) };

Deno.test("W-44: unarchive() believes the content where it is plain, but wants a named compression to be there", async () => {
  const taken: [string, keyof typeof contents][] = [
    ["tar", "tar"],
    ["tar", "gz"],
    ["tar.gz", "gz"],
    ["zip", "zip"],
    ["zip", "gz"],
    ["zip", "tar"],
    ["tar", "zip"],
    ["unknown", "gz"],
    ["unknown", "zip"],
  ];
  for (const [format, content] of taken) {
    await withScene(async ({ extract }) => {
      assert.deepEqual(await extract(contents[content], format), ['f 0644 "x"'], `${content} as ${format}`);
    });
  }
  for (
    const [format, content] of [["tar.gz", "tar"], ["tar.gz", "zip"], ["tar.xz", "gz"], [
      "tar.zst",
      "zip",
    ]] as const
  ) {
    await withScene(async ({ extract }) => {
      const outcome = await extract(contents[content], format);
      assert.match(
        String(outcome),
        /this is not a tar\.\w+ archive|archives of format/,
        `${content} as ${format}`,
      );
    });
  }
});

Deno.test("W-44: unarchive() takes a plain tar for what it is though its first name looks like another format", async () => {
  for (const name of ["BZh91AY", "PK\x03\x04", "7z\xbc", "Rar!\x1a\x07"]) {
    await withScene(async ({ extract }) => {
      const tree = await extract(tarOf([{ name, content: "x" }]), "tar");
      assert.deepEqual(tree, [`${name} 0644 "x"`]);
    });
  }
});

Deno.test("unarchive() says what is wrong with a file that is no archive", async () => {
  const cases = [["", "tar", /empty file/], ["", "zip", /empty file/], [
    "text",
    "tar",
    /not a tar archive/,
  ]] as const;
  for (const [text, format, reason] of cases) {
    await withScene(async ({ extract }) => {
      assert.match(String(await extract(new TextEncoder().encode(text), format)), reason);
    });
  }
  await withScene(async ({ extract }) => {
    assert.match(
      String(await extract(new Uint8Array(gzipSync("text")), "tar.gz")),
      /cut off|not a tar archive/,
    );
    assert.match(
      String(await extract(new Uint8Array(gzipSync("x".repeat(600))), "tar.gz")),
      /not a tar archive/,
    );
    assert.match(
      String(await extract(new Uint8Array(gzipSync("")), "tar.gz")),
      /empty file, not a tar archive/,
    );
  });
});

Deno.test("unarchive() makes the destination with its parents, and reports a missing source as an ArchiveError", async () => {
  await withScene(async ({ archive, root }) => {
    const written = await attempt({ source: archive(tar), destination: `${root}/a/b`, format: "tar" });
    assert.deepEqual(written, { entries: 1, bytes: 1 });
    const missing = await attempt({ source: `${root}/none`, destination: `${root}/a`, format: "tar" });
    assert.ok(missing instanceof ArchiveError);
    const file = await attempt({ source: archive(tar), destination: archive(tar, "file"), format: "tar" });
    assert.ok(file instanceof ArchiveError);
  });
});
