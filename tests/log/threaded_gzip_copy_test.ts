/** The copy that another thread makes. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ThreadedGzipCopy } from "../../src/log/threaded_gzip_copy.ts";

async function withLog(use: (paths: { from: string; to: string }) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  const from = join(directory, "log");
  await Deno.writeTextFile(from, text);
  try {
    await use({ from, to: join(directory, "log.gz") });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const text = Array.from({ length: 50_000 }, (_, number) => `line ${number}\n`).join("");

Deno.test("ThreadedGzipCopy takes what it is told, to the byte", () =>
  withLog(async (paths) => {
    const copy = await ThreadedGzipCopy.start(paths);
    assert.equal(await copy.take(300_000), 300_000);
    assert.equal(await copy.take(1e9), text.length - 300_000);
    assert.equal(await copy.take(1), 0);
    const storedBytes = await copy.finish();
    const bytes = await Deno.readFile(paths.to);
    assert.equal(bytes.length, storedBytes);
    assert.ok(gunzipSync(bytes).toString() === text, "the content is the log's");
  }));

Deno.test("ThreadedGzipCopy tells why it can't start, and leaves no thread", () =>
  withLog(async ({ from, to }) => {
    await assert.rejects(ThreadedGzipCopy.start({ from: `${from}.gone`, to }), /No such file/);
  }));
