/** Logs that are compressed while they are written. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  type CompressedLog,
  type GzipFollower,
  type GzipFollowerOptions,
  startGzipFollower,
} from "../../src/log/gzip_follower.ts";
import { TaskLog } from "../../src/log/task_log.ts";

interface Parts {
  readonly log: TaskLog;
  readonly follower: GzipFollower;
  readonly directory: string;
  readonly target: string;
}

async function withFollower(
  use: (parts: Parts) => Promise<void>,
  { targetName = "log.gz", ...options }: GzipFollowerOptions & { targetName?: string } = {},
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const log = new TaskLog({ path: join(directory, "log") });
  const target = join(directory, targetName);
  try {
    await use({ log, follower: startGzipFollower(log, target, options), directory, target });
  } finally {
    log.close();
    await Deno.remove(directory, { recursive: true });
  }
}

function content(compressed: CompressedLog): string {
  assert.notEqual(compressed.kind, "plain");
  if (compressed.kind === "memory") return gunzipSync(compressed.bytes).toString();
  const bytes = Deno.readFileSync(compressed.path);
  assert.equal("storedBytes" in compressed && compressed.storedBytes, bytes.length);
  return gunzipSync(bytes).toString();
}

function line(number: number): Uint8Array {
  return new TextEncoder().encode(`line ${number} of some length or other, so that it adds up\n`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("a short log is compressed in memory at its end, and leaves no file", () =>
  withFollower(async ({ log, follower, target }) => {
    log.info("hello");
    log.close();
    const compressed = await follower.finish();
    assert.equal(compressed.kind, "memory");
    assert.equal(content(compressed), Deno.readTextFileSync(log.path));
    assert.equal(compressed.sizeBytes, log.sizeBytes);
    assert.equal(await exists(target), false);
  }));

Deno.test("an empty log is compressed, too", () =>
  withFollower(async ({ log, follower }) => {
    log.close();
    assert.equal(content(await follower.finish()), "");
  }));

Deno.test("a long log is compressed while it is written, byte for byte", () =>
  withFollower(async ({ log, follower, target }) => {
    for (let number = 0; number < 40_000; number++) {
      log.write(line(number));
      if (number % 1000 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    assert.ok(await exists(target), "the copy has been started");
    log.error("the end");
    log.close();
    const compressed = await follower.finish();
    assert.equal(compressed.kind, "file");
    assert.equal(content(compressed), Deno.readTextFileSync(log.path));
    assert.equal(compressed.sizeBytes, log.sizeBytes);
  }));

Deno.test("a long log written at one go is compressed whole at its end", () =>
  withFollower(async ({ log, follower }) => {
    log.write(new Uint8Array(3_000_000).fill(0x2e));
    log.close();
    const compressed = await follower.finish();
    assert.equal(content(compressed).length, 3_000_000);
  }));

Deno.test("discard() stops the copy and removes it", () =>
  withFollower(async ({ log, follower, target }) => {
    log.write(new Uint8Array(3_000_000).fill(0x2e));
    await follower.discard();
    assert.equal(await exists(target), false);
    log.write(new Uint8Array(3_000_000).fill(0x2e));
    assert.equal(await exists(target), false);
  }));

Deno.test("a copy that can't be written gives way to the log itself", () =>
  withFollower(async ({ log, follower }) => {
    log.write(new Uint8Array(1_000_000).fill(0x2e));
    log.close();
    const compressed = await follower.finish();
    assert.deepEqual(
      [compressed.kind, compressed.sizeBytes, compressed.kind === "plain" && compressed.path],
      ["plain", 1_000_000, log.path],
    );
  }, { targetName: "no/such/directory/log.gz" }));

Deno.test("a very long log is compressed on a thread, byte for byte", () =>
  withFollower(async ({ log, follower }) => {
    for (let number = 0; number < 40_000; number++) {
      log.write(line(number));
      if (number % 1000 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    log.close();
    const compressed = await follower.finish();
    assert.equal(compressed.kind, "file");
    assert.equal(content(compressed), Deno.readTextFileSync(log.path));
  }, { threadFromBytes: 600_000 }));

Deno.test("discard() ends the thread of a very long log", () =>
  withFollower(async ({ log, follower, target }) => {
    log.write(new Uint8Array(3_000_000).fill(0x2e));
    await follower.discard();
    assert.equal(await exists(target), false);
  }, { threadFromBytes: 1 }));

Deno.test("a log that was removed meanwhile is still published whole", () =>
  withFollower(async ({ log, follower }) => {
    log.write(new Uint8Array(1_000_000).fill(0x2e));
    await Deno.remove(log.path);
    log.close();
    assert.equal(content(await follower.finish()), ".".repeat(1_000_000));
  }));
