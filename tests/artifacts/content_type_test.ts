/** Content types and encodings by extension (spec 03 §2.5, §2.6). */

import assert from "node:assert/strict";
import { builtinContentTypes } from "../../src/artifacts/builtin_content_types.ts";
import { encodingOf } from "../../src/artifacts/content_encoding.ts";
import { ContentTypes } from "../../src/artifacts/content_type.ts";
import { extensionOf } from "../../src/artifacts/extension.ts";
import { loadHostContentTypes } from "../../src/artifacts/host_content_types.ts";

/** Types on a host with these files. */
function host(files: Readonly<Record<string, string>>): ContentTypes {
  return new ContentTypes(() =>
    loadHostContentTypes(builtinContentTypes, (path) => Promise.resolve(files[path]))
  );
}

async function assertTypes(types: ContentTypes, expected: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, type] of Object.entries(expected)) assert.equal(await types.of(path), type, path);
}

Deno.test("extensionOf() takes everything from the last dot of the last component", () => {
  const extensions = ["a.tar.gz", ".bashrc", "a.b/c", "noext", "end.", "/x.y/z.TXT"].map(extensionOf);
  assert.deepEqual(extensions, [".gz", ".bashrc", "", "", ".", ".TXT"]);
});

Deno.test("ContentTypes knows logs before everything else, without a charset and in any case", () =>
  assertTypes(host({ "/etc/mime.types": "text/x-log log jsonl" }), {
    "a.log": "text/plain",
    "A.LOG": "text/plain",
    "a.jsonl": "application/jsonl",
  }));

Deno.test("ContentTypes falls back to built-in types, with a charset for text only", () =>
  assertTypes(host({}), {
    "a.html": "text/html; charset=utf-8",
    "a.TXT": "text/plain; charset=utf-8",
    "a.json": "application/json",
    "a.webm": "video/webm",
    "a.weba": "audio/webm",
    "a.svg": "image/svg+xml",
    "a.unknown": "application/octet-stream",
    "noext": "application/octet-stream",
    "dir.html/noext": "application/octet-stream",
  }));

Deno.test("ContentTypes extends the built-in types by plain globs of the first database, heaviest first", () =>
  assertTypes(
    host({
      "/usr/share/mime/globs2": [
        "# comment",
        "80:text/x-special:*.foo",
        "50:application/x-foo:*.foo",
        "50:application/x-not-html:*.html",
        "50:text/x-csrc:*.c",
        "50:text/x-c++src:*.C:cs",
        "50:application/x-odd:*.[ab]z",
        "50:text/x-make:makefile",
        "50:application/x-two:*.tar.zzz",
        "broken",
      ].join("\n"),
      "/etc/mime.types": "application/x-never never",
    }),
    {
      "a.foo": "text/x-special; charset=utf-8",
      "a.html": "text/html; charset=utf-8",
      "a.c": "text/x-csrc; charset=utf-8",
      "a.C": "text/x-c++src; charset=utf-8",
      "a.az": "application/octet-stream",
      "makefile": "application/octet-stream",
      "a.tar.zzz": "application/octet-stream",
      "a.never": "application/octet-stream",
      "a.FOO": "text/x-special; charset=utf-8",
    },
  ));

Deno.test("ContentTypes prefers the local glob database", () =>
  assertTypes(
    host({
      "/usr/local/share/mime/globs2": "50:x/local:*.foo",
      "/usr/share/mime/globs2": "50:x/system:*.foo\n50:x/bar:*.bar",
    }),
    { "a.foo": "x/local", "a.bar": "application/octet-stream" },
  ));

Deno.test("ContentTypes takes all type lists where there are no globs, and they override", () =>
  assertTypes(
    host({
      "/etc/mime.types": "# comment\nx/first one two # trailing\nx/html\thtml\n\nx/none",
      "/etc/apache2/mime.types": "x/second two",
    }),
    { "a.one": "x/first", "a.two": "x/second", "a.html": "x/html" },
  ));

Deno.test("ContentTypes reads the host's tables once, and not for logs", async () => {
  let reads = 0;
  const types = new ContentTypes(() => (reads++, Promise.resolve(new Map())));
  await types.of("a.log");
  assert.equal(reads, 0);
  await Promise.all([types.of("a.x"), types.of("a.y")]);
  assert.equal(reads, 1);
});

Deno.test("encodingOf() compresses everything that is not compressed already", () => {
  const skipped =
    ".7z .aab .apk .br .bz2 .deb .dmg .flv .gif .gz .jar .jpeg .jpg .lz .lz4 .mz .npz .pkg .png .swf .sz .tbz " +
    ".tgz .wasm .webp .whl .woff .woff2 .xpi .xz .zip .zst .zz";
  assert.equal(skipped.split(" ").length, 33);
  for (const extension of skipped.split(" ")) {
    assert.equal(encodingOf(`dir/a${extension}`), "identity", extension);
  }
  for (const path of ["a.txt", "a.gz.txt", "a", "gz", "dir.gz/a"]) {
    assert.equal(encodingOf(path), "gzip", path);
  }
});

Deno.test("W-07: encodingOf() does not mind the case of the extension", () => {
  assert.equal(encodingOf("SHOT.PNG"), "identity");
});
