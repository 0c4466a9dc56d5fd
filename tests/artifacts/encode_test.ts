/** Compressing large artifacts on other threads. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Body } from "../../src/artifacts/body.ts";
import type { ByteSource } from "../../src/artifacts/byte_source.ts";
import { encodeBody, type EncodeOptions } from "../../src/artifacts/encode.ts";
import { createCompressionSlots } from "../../src/artifacts/upload_slots.ts";

const megabyte = 1024 * 1024;

/** Text that compresses about as well as a log. */
function text(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const line = new TextEncoder().encode("the quick brown fox jumps over the lazy dog 0123456789\n");
  return new Uint8Array(sizeBytes).map((_, index) => line[index % line.length]! ^ (index >> 16 & 1));
}

/** A source that is read in pieces of at most 100 000 bytes; `onRead` is called before each. */
function sourceOf(content: Uint8Array, onRead: () => void = () => {}): ByteSource {
  let position = 0;
  return {
    read(buffer) {
      onRead();
      const piece = content.subarray(position, position + Math.min(buffer.length, 100_000));
      buffer.set(piece);
      position += piece.length;
      return Promise.resolve(piece.length);
    },
    seek(offset) {
      position = offset;
      return Promise.resolve();
    },
    close() {},
  };
}

async function bytesOf(body: Body): Promise<Uint8Array> {
  if ("bytes" in body) return body.bytes;
  const read = await body.open();
  const pieces: Uint8Array[] = [];
  for (let piece = await read(); piece !== undefined; piece = await read()) pieces.push(piece.slice());
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

async function withDirectory(
  use: (options: Omit<EncodeOptions, "sizeBytes">, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "encode-" });
  try {
    await use({
      contentEncoding: "gzip",
      path: "/somewhere/log.txt",
      temporaryDirectory: directory,
      signal: new AbortController().signal,
      hashAlgorithms: ["sha256"],
    }, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

for (const sizeBytes of [8 * megabyte - 1, 8 * megabyte, 20 * megabyte + 12_345]) {
  Deno.test(`encodeBody() gives the same content back for ${sizeBytes} bytes, with size and hash`, () =>
    withDirectory(async (options, directory) => {
      const content = text(sizeBytes);
      {
        await using encoded = await encodeBody(sourceOf(content), { ...options, sizeBytes });
        const stored = await bytesOf(encoded.body);
        assert.equal(encoded.sizeBytes, sizeBytes);
        assert.ok(stored.length < sizeBytes / 10);
        assert.ok(gunzipSync(stored).equals(content));
        assert.deepEqual(encoded.hashes(), { sha256: createHash("sha256").update(content).digest("hex") });
      }
      assert.deepEqual([...Deno.readDirSync(directory)], []);
    }));
}

Deno.test("encodeBody() of a file that became shorter gives what is there", () =>
  withDirectory(async (options) => {
    const content = text(9 * megabyte);
    await using encoded = await encodeBody(sourceOf(content), { ...options, sizeBytes: 12 * megabyte });
    assert.equal(encoded.sizeBytes, content.length);
    assert.ok(gunzipSync(await bytesOf(encoded.body)).equals(content));
  }));

Deno.test("encodeBody() says why another thread can't write the copy (W-15)", () =>
  withDirectory(async (options, directory) => {
    const sizeBytes = 9 * megabyte;
    const temporaryDirectory = join(directory, "missing");
    await assert.rejects(
      encodeBody(sourceOf(text(sizeBytes)), { ...options, sizeBytes, temporaryDirectory }),
      {
        name: "ArtifactError",
        kind: "unavailable",
        message: /^Could not compress '\/somewhere\/log\.txt': No such file/,
      },
    );
  }));

Deno.test("encodeBody() ends with the signal's reason, and with what the source throws, and leaves no copy", () =>
  withDirectory(async (options, directory) => {
    const sizeBytes = 30 * megabyte;
    const content = text(sizeBytes);
    let reads = 0;
    const abort = new AbortController();
    const aborting = sourceOf(content, () => {
      if (++reads === 50) abort.abort(new Error("enough"));
    });
    await assert.rejects(encodeBody(aborting, { ...options, sizeBytes, signal: abort.signal }), /enough/);
    reads = 0;
    const breaking = sourceOf(content, () => {
      if (++reads === 50) throw new Error("bad sector");
    });
    await assert.rejects(encodeBody(breaking, { ...options, sizeBytes }), /bad sector/);
    assert.deepEqual([...Deno.readDirSync(directory)], []);
  }));

Deno.test("createCompressionSlots() lets as many files be compressed at the same time as there are cores, up to four", async () => {
  for (const [cores, most] of [[1, 1], [2, 2], [64, 4]] as const) {
    const slots = createCompressionSlots(cores);
    let running = 0;
    let seen = 0;
    await Promise.all(Array.from({ length: 10 }, () =>
      slots(async () => {
        seen = Math.max(seen, ++running);
        await Promise.resolve();
        running--;
      })));
    assert.equal(seen, most);
  }
});
