/** Downloaded content: fetched once, stored once, never pulled away from under a task. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CacheEntry } from "../../../src/features/mounts/cache_entry.ts";
import { FileCache, type WantedContent } from "../../../src/features/mounts/file_cache.ts";
import { TemporaryDirectory } from "../../support/temporary_directory.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A cache in a directory of its own, and what it has said. */
class Bench implements Disposable {
  readonly directory = new TemporaryDirectory();
  readonly said: string[] = [];
  readonly cache: FileCache = new FileCache({
    downloadsDir: "downloads",
    absolute: (location) => this.directory.at(location),
    nowMs: () => Date.now(),
    save: () => Promise.resolve(),
    discard: (path) => Deno.remove(path).catch(() => {}),
  });
  fetches = 0;

  constructor() {
    Deno.mkdirSync(this.directory.at("downloads"));
  }

  /** Content of that text; `ready` holds the fetch up. */
  wanted(key: string, text: string, more: Partial<WantedContent> & { ready?: Promise<unknown> } = {}) {
    const say = (message: string) => void this.said.push(message);
    const { ready, ...rest } = more;
    return {
      key,
      source: `source ${key}`,
      log: { info: say, warn: say, error: say },
      signal: new AbortController().signal,
      fetch: async ({ path, signal }: { path: string; signal: AbortSignal }) => {
        this.fetches++;
        await Deno.writeTextFile(path, text);
        await Promise.race([ready, aborted(signal)]);
        return { sha256: sha256(text) };
      },
      ...rest,
    };
  }

  get files(): string[] {
    return [...Deno.readDirSync(this.directory.at("downloads"))].map(({ name }) => name);
  }

  entry(key: string): CacheEntry | undefined {
    return this.cache.table.get(key);
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

Deno.test("tasks that want the same content at once share one download", async () => {
  using bench = new Bench();
  const ready = Promise.withResolvers<void>();
  const all = [1, 2, 3].map(() => bench.cache.obtain(bench.wanted("k", "text", { ready: ready.promise })));
  ready.resolve();
  const leases = await Promise.all(all);
  assert.equal(bench.fetches, 1);
  assert.equal(new Set(leases.map(({ path }) => path)).size, 1);
  assert.equal(bench.said.filter((line) => line.startsWith("Waiting for the download")).length, 2);
  for (const lease of leases) await lease.release();
  assert.equal(bench.entry("k")?.inUse, false);
});

Deno.test("a download goes on while one task wants it, and stops with the last", async () => {
  using bench = new Bench();
  const ready = Promise.withResolvers<void>();
  const [first, second] = [new AbortController(), new AbortController()];
  const gone = assert.rejects(
    bench.cache.obtain(bench.wanted("k", "text", { ready: ready.promise, signal: first.signal })),
    /first/,
  );
  const stays = bench.cache.obtain(
    bench.wanted("k", "text", { ready: ready.promise, signal: second.signal }),
  );
  first.abort(new Error("first"));
  await gone;
  ready.resolve();
  await (await stays).release();
  assert.equal(bench.fetches, 1);
  const third = new AbortController();
  const stopped = assert.rejects(
    bench.cache.obtain(bench.wanted("l", "text", { ready: new Promise(() => {}), signal: third.signal })),
    /third/,
  );
  third.abort(new Error("third"));
  await stopped;
  assert.deepEqual(bench.files, [bench.entry("k")?.location.split("/")[1]], "no half file is left");
});

Deno.test("a failing download fails all who wait for it, and the next one tries again", async () => {
  using bench = new Bench();
  const fetch = () => Promise.reject(new Error("no route"));
  const both = [1, 2].map(() => bench.cache.obtain(bench.wanted("k", "text", { fetch })));
  for (const each of both) await assert.rejects(each, { message: "Could not fetch from source k: no route" });
  assert.equal(
    bench.said.filter((line) => line.startsWith("Could not fetch from source k into file ")).length,
    2,
  );
  await (await bench.cache.obtain(bench.wanted("k", "text"))).release();
});

Deno.test("the same content under two keys is stored once, and stays until both are evicted", async () => {
  using bench = new Bench();
  for (const key of ["a", "b"]) await (await bench.cache.obtain(bench.wanted(key, "text"))).release();
  assert.equal(bench.files.length, 1);
  const [a, b] = [bench.entry("a")!, bench.entry("b")!];
  assert.equal(a.location, b.location);
  await bench.cache.evict(a);
  assert.equal(bench.files.length, 1);
  await bench.cache.evict(b);
  assert.deepEqual(bench.files, []);
});

Deno.test("W-34: an evicted file stays until the last task has read it, and its use is recorded", async () => {
  using bench = new Bench();
  const first = await bench.cache.obtain(bench.wanted("k", "text"));
  const second = await bench.cache.obtain(bench.wanted("k", "text"));
  assert.equal(bench.entry("k")?.inUse, true);
  await bench.cache.evict(bench.entry("k")!);
  await first.release();
  await first.release();
  assert.equal(await Deno.readTextFile(second.path), "text");
  await second.release();
  const beforeMs = Date.now();
  await (await bench.cache.obtain(bench.wanted("k", "text"))).release();
  assert.ok(Date.parse(bench.entry("k")!.lastUsed) >= beforeMs);
});

Deno.test("a file that has been tampered with is downloaded again, with a required hash and without", async () => {
  using bench = new Bench();
  for (const more of [{}, { sha256: sha256("text") }]) {
    const before = await bench.cache.obtain(bench.wanted("k", "text", more));
    await Deno.writeTextFile(before.path, "evil");
    await before.release();
    const after = await bench.cache.obtain(bench.wanted("k", "text", more));
    assert.equal(await Deno.readTextFile(after.path), "text");
    await after.release();
  }
  assert.equal(bench.fetches, 3);
  assert.equal(bench.files.length, 1);
});

Deno.test("a file that has vanished is downloaded again", async () => {
  using bench = new Bench();
  const before = await bench.cache.obtain(bench.wanted("k", "text"));
  await before.release();
  await Deno.remove(before.path);
  const after = await bench.cache.obtain(bench.wanted("k", "text"));
  assert.ok(existsSync(after.path));
  assert.ok(bench.said.some((line) => line.startsWith("Cache entry for k vanished mid-read")));
  await after.release();
});

Deno.test("content with the wrong hash is refused to the task that asks for another, not to the others", async () => {
  using bench = new Bench();
  const ready = Promise.withResolvers<void>();
  const wrong = assert.rejects(
    bench.cache.obtain(bench.wanted("k", "text", { ready: ready.promise, sha256: sha256("other") })),
    /has SHA256 \w+ but task definition explicitly requires/,
  );
  const right = bench.cache.obtain(bench.wanted("k", "text", { ready: ready.promise }));
  ready.resolve();
  await wrong;
  const lease = await right;
  assert.equal(await Deno.readTextFile(join(lease.path)), "text");
  await lease.release();
});
