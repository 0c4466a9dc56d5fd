import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { ArchiveError } from "../../src/archive/mod.ts";
import { attempt, listTree, withScene } from "./extraction.ts";
import { bytesOf, joined, octal, paxPart, tarOf, type TarPart } from "./tar_bytes.ts";

/** Extracts a tarball of these parts and gives the tree. */
async function treeOf(parts: readonly TarPart[]): Promise<string[]> {
  let tree: string[] = [];
  await withScene(async ({ extract }) => {
    const outcome = await extract(tarOf(parts), "tar");
    if (outcome instanceof ArchiveError) throw outcome;
    tree = outcome;
  });
  return tree;
}

Deno.test("unarchive() gives files the archived mode less the umask and directories a mode the owner can work with", async () => {
  const parts = [
    { name: "closed/", type: "5", mode: 0o055 },
    { name: "closed/run", mode: 0o777, content: "x" },
    { name: "secret", mode: 0o400, content: "y" },
    { name: "setuid", mode: 0o4755, content: "z" },
  ];
  assert.deepEqual(await treeOf(parts), [
    "closed/ 0755",
    'closed/run 0755 "x"',
    'secret 0400 "y"',
    'setuid 0755 "z"',
  ]);
});

Deno.test("unarchive() makes missing parents 0755 and gives them their mode when their own entry comes later", async () => {
  const parts = [{ name: "a/b/f", content: "1" }, { name: "a/b", type: "5", mode: 0o700 }];
  assert.deepEqual(await treeOf(parts), ["a/ 0755", "a/b/ 0700", 'a/b/f 0644 "1"']);
});

Deno.test("unarchive() cleans names: leading slashes, dots and inner parents are harmless", async () => {
  const parts = [
    { name: "./", type: "5" },
    { name: "/etc/x", content: "1" },
    { name: "./a//b/../c", content: "2" },
  ];
  assert.deepEqual(await treeOf(parts), ["a/ 0755", 'a/c 0644 "2"', "etc/ 0755", 'etc/x 0644 "1"']);
});

Deno.test("unarchive() recreates symbolic links word for word and hard links as one file", async () => {
  await withScene(async ({ extract, destination }) => {
    const parts = [
      { name: "d/f", content: "shared" },
      { name: "d/up", type: "2", link: "../d/./f" },
      { name: "absolute", type: "2", link: "/usr/bin/env" },
      { name: "h", type: "1", link: "./d/f" },
    ];
    const tree = await extract(tarOf(parts), "tar");
    assert.deepEqual(tree, [
      "absolute -> /usr/bin/env",
      "d/ 0755",
      'd/f 0644 "shared"',
      "d/up -> ../d/./f",
      'h 0644 "shared"',
    ]);
    assert.equal(Deno.statSync(`${destination}/h`).ino, Deno.statSync(`${destination}/d/f`).ino);
  });
});

Deno.test("unarchive() turns pipes and devices into empty files and ignores global headers and labels", async () => {
  const parts: TarPart[] = [
    { name: "pax_global_header", type: "g", content: "20 path=/etc/passwd\n" },
    { name: "label", type: "V" },
    { name: "pipe", type: "6" },
    { name: "character", type: "3" },
    { name: "block", type: "4" },
  ];
  assert.deepEqual(await treeOf(parts), ['block 0644 ""', 'character 0644 ""', 'pipe 0644 ""']);
});

Deno.test("unarchive() reads names of every kind: prefix, GNU long, pax, old directories", async () => {
  const long = "n".repeat(180);
  const parts: TarPart[] = [
    { name: "short", content: "1", change: (header) => header.set(bytesOf("in/prefix"), 345) },
    { name: "././@LongLink", type: "L", content: `gnu/${long}\0`, magic: "ustar  \0" },
    { name: "gnu/cut", content: "2", magic: "ustar  \0" },
    { name: "././@LongLink", type: "K", content: `${long}\0`, magic: "ustar  \0" },
    { name: "gnu/link", type: "2", link: "cut", magic: "ustar  \0" },
    paxPart([["path", `pax/${long}`], ["comment", "a\nb=c"]]),
    { name: "cut", content: "3" },
    paxPart([["linkpath", `${long}x`]]),
    { name: "pax/link", type: "2", link: "cut" },
    { name: "v7directory/", type: "\0", magic: "" },
  ];
  assert.deepEqual(
    await treeOf(parts),
    [
      "gnu/ 0755",
      `gnu/${long} 0644 "2"`,
      `gnu/link -> ${long}`,
      "in/ 0755",
      "in/prefix/ 0755",
      'in/prefix/short 0644 "1"',
      "pax/ 0755",
      "pax/link -> " + long + "x",
      `pax/${long} 0644 "3"`,
      "v7directory/ 0744",
    ].sort(),
  );
});

Deno.test("unarchive() keeps the bytes of names that are no UTF-8", async () => {
  await withScene(async ({ archive, destination }) => {
    const name = new Uint8Array([0xff, 0xfe, 0x41]);
    const parts: TarPart[] = [
      { name, content: "raw" },
      paxPart([["hdrcharset", "BINARY"], ["path", new Uint8Array([0xe4, 0x42])]]),
      { name: "x", content: "pax" },
    ];
    const written = await attempt({ source: archive(tarOf(parts)), destination, format: "tar" });
    assert.deepEqual(written, { entries: 2, bytes: 6 });
    const { stdout } = await new Deno.Command("ls", { args: ["-b", destination], env: { LC_ALL: "C" } })
      .output();
    assert.deepEqual(new TextDecoder().decode(stdout).trim().split("\n").sort(), ["\\344B", "\\377\\376A"]);
  });
});

Deno.test("unarchive() reads sizes in base 256 and from pax headers", async () => {
  const binary: TarPart = {
    name: "binary",
    content: "12345",
    change: (header) => {
      header.fill(0, 124, 136);
      header[124] = 0x80;
      header[135] = 5;
    },
  };
  const pax: TarPart[] = [paxPart([["size", "3"]]), { name: "pax", content: "abc", size: 0 }];
  assert.deepEqual(await treeOf([binary, ...pax]), ['binary 0644 "12345"', 'pax 0644 "abc"']);
});

Deno.test("unarchive() applies archived times only when asked, to files, links and directories", async () => {
  await withScene(async ({ extract, destination }) => {
    const parts: TarPart[] = [
      { name: "d", type: "5", mode: 0o755, mtime: 1_000 },
      paxPart([["mtime", "123456789.123456789"]]),
      { name: "d/f", content: "x" },
      { name: "d/l", type: "2", link: "f", mtime: 2_000 },
    ];
    await extract(tarOf(parts), "tar", { times: true });
    const { stdout } = await new Deno.Command("stat", {
      args: ["-c", "%.9Y", `${destination}/d`, `${destination}/d/f`, `${destination}/d/l`],
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "1000.000000000\n123456789.123456789\n2000.000000000\n");
  });
  await withScene(async ({ extract, destination }) => {
    await extract(tarOf([{ name: "f", content: "x", mtime: 1_000 }]), "tar");
    assert.ok(Deno.statSync(`${destination}/f`).mtime!.getTime() > 1_000_000_000_000);
  });
});

Deno.test("unarchive() merges over what is there: files are truncated, links in the way are an error", async () => {
  await withScene(async ({ extract, destination, root }) => {
    Deno.mkdirSync(`${destination}/d`, { mode: 0o700 });
    Deno.writeTextFileSync(`${destination}/d/f`, "much longer than before", { mode: 0o600 });
    const inode = Deno.statSync(`${destination}/d/f`).ino;
    const tree = await extract(
      tarOf([{ name: "d", type: "5", mode: 0o755 }, { name: "d/f", content: "new" }]),
      "tar",
    );
    assert.deepEqual(tree, ["d/ 0700", 'd/f 0600 "new"']);
    assert.equal(Deno.statSync(`${destination}/d/f`).ino, inode);
    for (const type of ["1", "2"]) {
      const again = await extract(tarOf([{ name: "d/f", type, link: "d/f" }]), "tar");
      assert.match(String(again), /file exists .*entry "d\/f", byte 0/);
    }
    assert.deepEqual(listTree(destination, ""), tree);
    assert.ok(root);
  });
});

Deno.test("unarchive() does not change the other names of a file it replaces", async () => {
  await withScene(async ({ extract, destination, root, surroundings }) => {
    Deno.linkSync(`${root}/outside/precious`, `${destination}/f`);
    assert.deepEqual(await extract(tarOf([{ name: "f", content: "new" }]), "tar"), ['f 0644 "new"']);
    assert.deepEqual(surroundings(), ['precious 0644 "precious"']);
  });
});

Deno.test("unarchive() replaces a pipe instead of waiting for its reader", async () => {
  await withScene(async ({ extract, destination }) => {
    assert.ok((await new Deno.Command("mkfifo", { args: [`${destination}/f`] }).output()).success);
    assert.deepEqual(await extract(tarOf([{ name: "f", content: "new" }]), "tar"), ['f 0644 "new"']);
  });
});

Deno.test("unarchive() extracts through links that stay inside, as archives of whole systems need", async () => {
  const parts: TarPart[] = [
    { name: "usr/lib", type: "5", mode: 0o755 },
    { name: "lib", type: "2", link: "usr/lib" },
    { name: "lib/libc.so", content: "c" },
    { name: "usr/lib/deep", type: "2", link: "../../lib/./" },
    { name: "usr/lib/deep/deeper/x", content: "x" },
    { name: "lib", type: "5", mode: 0o755 },
  ];
  assert.deepEqual(await treeOf(parts), [
    "lib -> usr/lib",
    "usr/ 0755",
    "usr/lib/ 0755",
    "usr/lib/deep -> ../../lib/./",
    "usr/lib/deeper/ 0755",
    'usr/lib/deeper/x 0644 "x"',
    'usr/lib/libc.so 0644 "c"',
  ]);
});

Deno.test("unarchive() reads sparse files of GNU's old kind and of all three pax kinds", async () => {
  const old: TarPart = {
    name: "old",
    type: "S",
    content: "ab",
    magic: "ustar  \0",
    change: (header) => {
      octal(header, { at: 386, width: 12, value: 1 });
      octal(header, { at: 398, width: 12, value: 2 });
      octal(header, { at: 483, width: 12, value: 5 });
    },
  };
  const map10 = joined([bytesOf("1\n1\n2\n"), new Uint8Array(506)]);
  const parts: TarPart[] = [
    old,
    paxPart([
      ["GNU.sparse.size", "5"],
      ["GNU.sparse.numblocks", "1"],
      ["GNU.sparse.offset", "1"],
      ["GNU.sparse.numbytes", "2"],
    ]),
    { name: "pax00", content: "ab" },
    paxPart([["GNU.sparse.size", "5"], ["GNU.sparse.map", "1,2"], ["GNU.sparse.name", "pax01"]]),
    { name: "GNUSparseFile.0/pax01", content: "ab" },
    paxPart([
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.name", "pax10"],
      ["GNU.sparse.realsize", "5"],
    ]),
    { name: "GNUSparseFile.0/pax10", content: joined([map10, bytesOf("ab")]) },
    { name: "after", content: "!" },
  ];
  const content = JSON.stringify("\0ab\0\0");
  assert.deepEqual(await treeOf(parts), [
    'after 0644 "!"',
    `old 0644 ${content}`,
    `pax00 0644 ${content}`,
    `pax01 0644 ${content}`,
    `pax10 0644 ${content}`,
  ]);
});

Deno.test("unarchive() refuses maps of sparse files that overlap, leave the file or do not fit the data", async () => {
  for (const map of ["1,2,2,1", "4,2", "0,1", "0,2,7", "0,x", "0,9007199254740993"]) {
    await withScene(async ({ extract }) => {
      const parts = [paxPart([["GNU.sparse.size", "5"], ["GNU.sparse.map", map]]), {
        name: "f",
        content: "ab",
      }];
      const outcome = await extract(tarOf(parts), "tar");
      assert.ok(outcome instanceof ArchiveError, map);
      assert.match(outcome.message, /damaged/);
    });
  }
});

Deno.test("unarchive() takes an archive without closing zeros, as GNU tar does, and an empty one", async () => {
  await withScene(async ({ extract }) => {
    assert.deepEqual(await extract(tarOf([{ name: "f", content: "1" }], { end: false }), "tar"), [
      'f 0644 "1"',
    ]);
  });
  await withScene(async ({ extract }) => assert.deepEqual(await extract(tarOf([]), "tar"), []));
});

Deno.test("unarchive() names entry and byte where an archive is cut, at every block and in between", async () => {
  const parts = [
    { name: "first", content: "1".repeat(700) },
    paxPart([["path", "second"]]),
    { name: "x", content: "2".repeat(512) },
  ];
  const whole = tarOf(parts, { end: false });
  const endsOfEntries = [1536, whole.length];
  for (let size = 1; size <= whole.length; size += size % 512 === 511 || size % 512 === 0 ? 1 : 510) {
    await withScene(async ({ extract }) => {
      const outcome = await extract(whole.slice(0, size), "tar");
      if (endsOfEntries.includes(size)) return void assert.ok(Array.isArray(outcome), String(size));
      assert.ok(outcome instanceof ArchiveError, String(size));
      if (size < 512) assert.match(outcome.reason, /not a tar archive/);
      else assert.match(outcome.reason, /cut off at byte \d+|ends before the entry/);
      if (size > 512 && size < 1536) assert.equal(outcome.entry, "first");
      if (size >= 3072) assert.deepEqual([outcome.entry, outcome.offsetBytes], ["second", 1536]);
    });
  }
});

Deno.test("unarchive() names the byte of a damaged header and the entry before it", async () => {
  await withScene(async ({ extract }) => {
    const bytes = tarOf([{ name: "a", content: "1" }, { name: "b", content: "2" }]);
    bytes[1024]! ^= 1;
    const outcome = await extract(bytes, "tar");
    assert.ok(outcome instanceof ArchiveError);
    assert.match(
      outcome.message,
      /^damaged tar header: wrong checksum \(.*archive, after entry "a", byte 1024\)$/,
    );
    assert.equal(outcome.offsetBytes, 1024);
  });
});

Deno.test("unarchive() finds a wrong gzip checksum behind the last entry", async () => {
  await withScene(async ({ extract }) => {
    const bytes = new Uint8Array(gzipSync(tarOf([{ name: "f", content: "1" }])));
    bytes[bytes.length - 8]! ^= 1;
    const outcome = await extract(bytes, "tar.gz");
    assert.ok(outcome instanceof ArchiveError);
    assert.match(outcome.reason, /damaged gzip data/);
  });
});

Deno.test("unarchive() extracts gzip files of several members and any size on another thread", async () => {
  await withScene(async ({ archive, destination }) => {
    const noise = new Uint8Array(6 * 1024 * 1024);
    for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
    const tar = tarOf([{ name: "noise", content: noise }, { name: "last", content: "1" }]);
    const middle = 3_000_000;
    const members = [tar.subarray(0, middle), new Uint8Array(), tar.subarray(middle)].map((part) =>
      gzipSync(part)
    );
    const calls: number[] = [];
    const written = await attempt({
      source: archive(joined(members)),
      destination,
      format: "tar.gz",
      onProgress: ({ bytes }) => void calls.push(bytes),
    });
    assert.deepEqual(written, { entries: 2, bytes: noise.length + 1 });
    assert.ok(calls.length > 3);
    assert.ok(Buffer.from(noise).equals(Deno.readFileSync(`${destination}/noise`)));
  });
});

Deno.test("unarchive() stops when its signal aborts, on this thread and on another, and closes everything", async () => {
  await withScene(async ({ archive, destination, root }) => {
    const noise = new Uint8Array(6 * 1024 * 1024);
    for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
    const tar = tarOf([{ name: "noise", content: noise }, { name: "last", content: "1" }]);
    for (const [format, bytes] of [["tar", tar], ["tar.gz", gzipSync(tar)]] as const) {
      const stop = new AbortController();
      const extraction = attempt({
        source: archive(bytes),
        destination: `${root}/${format}`,
        format,
        signal: stop.signal,
        onProgress: () => stop.abort(new Error("enough")),
      });
      await assert.rejects(extraction, /^Error: enough$/);
      assert.deepEqual(listTree(`${root}/${format}`).length, 1);
    }
    assert.ok(destination);
  });
});
