/** State files in the formats of the existing worker, and in worse ones. */

import assert from "node:assert/strict";
import { createWorkerLog, silentWorkerLog } from "../../../src/log/worker_log.ts";
import { StateFile } from "../../../src/features/mounts/state_file.ts";
import {
  parseDirectoryTable,
  parseFileTable,
  renderDirectoryTable,
  renderFileTable,
} from "../../../src/features/mounts/tables.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

const directoryCaches = `{
  "banana-cache": [
    {
      "created": "2026-08-01T10:11:12.123456789+02:00",
      "location": "caches/eKq3Zc0cQ9uYvXb2dJm1Ug",
      "hits": 3,
      "key": "banana-cache",
      "sha256": "",
      "in_use": false,
      "last_used": "2026-08-01T10:31:45.5+02:00"
    }
  ]
}
`;

Deno.test("a directory table comes out as it went in, to the last digit", () => {
  assert.equal(renderDirectoryTable(parseDirectoryTable(directoryCaches)), directoryCaches);
});

Deno.test("a file table is sorted by key, also where keys look like numbers", () => {
  const entry = { location: "downloads/a", created: "2026-08-01T10:11:12Z", sha256: "ab" };
  const text = renderFileTable(
    parseFileTable(JSON.stringify({ b: entry, "10": entry, "9": entry, a: entry })),
  );
  assert.deepEqual([...text.matchAll(/^ {2}"(.*)": \{$/gm)].map((match) => match[1]), ["10", "9", "a", "b"]);
  assert.ok(text.endsWith("}\n"));
  assert.equal(renderFileTable(new Map()), "{}\n");
});

Deno.test("a directory table of the older form, with one entry a name, is understood", () => {
  const [entry] = Object.values<unknown[]>(JSON.parse(directoryCaches))[0]!;
  const table = parseDirectoryTable(JSON.stringify({ "banana-cache": entry }));
  assert.equal(renderDirectoryTable(table), directoryCaches);
});

Deno.test("W-32: unknown and missing members of an entry do no harm", () => {
  const table = parseDirectoryTable(
    '{"a": [{"location": "caches/x", "colour": "blue"}], "b": [{}], "c": null}',
  );
  assert.deepEqual([...table.keys()], ["a"]);
  const [entry] = table.get("a")!;
  assert.deepEqual(entry, {
    key: "a",
    location: "caches/x",
    created: "0001-01-01T00:00:00Z",
    hits: 1,
    sha256: "",
    inUse: false,
    lastUsed: "0001-01-01T00:00:00Z",
  });
});

Deno.test("an entry that was in use when the file was written is available when it is read", () => {
  const table = parseDirectoryTable(directoryCaches.replace('"in_use": false', '"in_use": true'));
  assert.equal(table.get("banana-cache")?.[0]?.inUse, false);
});

for (const text of ["", "{", "[]", "null", "7"]) {
  Deno.test(`W-32: a state file with ${JSON.stringify(text)} in it is set aside and reported`, async () => {
    using directory = new TemporaryDirectory();
    const lines: string[] = [];
    const path = directory.at("file-caches.json");
    await Deno.writeTextFile(path, text);
    const log = createWorkerLog((line) => lines.push(line));
    const file = new StateFile({ path, log, parse: parseFileTable, render: () => "{}\n" });
    assert.equal(await file.load(), undefined);
    const [aside] = [...Deno.readDirSync(directory.path)];
    assert.match(aside!.name, /^file-caches\.json\.unreadable-/);
    assert.equal(await Deno.readTextFile(directory.at(aside!.name)), text);
    assert.match(lines.join(""), /ERROR: Could not read .*file-caches\.json/);
  });
}

Deno.test("a state file holds what was true at the last save, however many saves there are at once", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("state.json");
  let state = 0;
  let renders = 0;
  const render = () => (renders++, `${state}`);
  const file = new StateFile({ path, log: silentWorkerLog, parse: Number, render });
  const saves: Promise<void>[] = [];
  while (state < 100) {
    state++;
    saves.push(file.save());
  }
  await Promise.all(saves);
  assert.equal(await file.load(), 100);
  assert.ok(renders < 10, `${renders} writes for 100 saves`);
});

Deno.test("a state file that can't be written says so to each who wanted it saved, and works again later", async () => {
  using directory = new TemporaryDirectory();
  const path = directory.at("missing/state.json");
  const file = new StateFile({ path, log: silentWorkerLog, parse: Number, render: () => "1" });
  const results = await Promise.allSettled([file.save(), file.save()]);
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "rejected"]);
  await Deno.mkdir(directory.at("missing"));
  await file.save();
  assert.equal(await file.load(), 1);
});
