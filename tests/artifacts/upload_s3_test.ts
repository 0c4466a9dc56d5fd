/** Retries of uploads, and addresses that expire. */

import assert from "node:assert/strict";
import { type Body, identityBody } from "../../src/artifacts/body.ts";
import { type S3Target, type S3UploadOptions, uploadToS3 } from "../../src/artifacts/upload_s3.ts";
import { silentWorkerLog } from "../../src/log/worker_log.ts";
import { HastyClock } from "../support/hasty_clock.ts";
import { accepted, ScriptedStore } from "./scripted_store.ts";

const bytes: Body = { bytes: new Uint8Array([1, 2, 3, 4, 5, 6, 7]) };

function options(target: () => S3Target): S3UploadOptions & { clock: HastyClock } {
  return {
    name: "x",
    contentEncoding: "identity",
    requestTarget: () => Promise.resolve(target()),
    signal: new AbortController().signal,
    clock: new HastyClock(),
    clockSkewMs: () => 0,
    log: silentWorkerLog,
    random: () => 0.5,
  };
}

function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}

const trouble = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

Deno.test("W-14: uploadToS3() asks for a new address when the one it has is about to expire", async () => {
  await using store = new ScriptedStore([{ answer: trouble }, { answer: accepted, readBytes: 7 }]);
  const expiries = [inMinutes(0.1), inMinutes(45)];
  let asked = 0;
  await uploadToS3(
    bytes,
    options(() => ({ putUrl: store.url, contentType: "x/y", expires: expiries[asked++]! })),
  );
  assert.equal(asked, 2);
});

Deno.test("uploadToS3() keeps an address that is still good", async () => {
  await using store = new ScriptedStore([{ answer: trouble }, { answer: trouble }, {
    answer: accepted,
    readBytes: 7,
  }]);
  let asked = 0;
  await uploadToS3(
    bytes,
    options(() => (asked++, { putUrl: store.url, contentType: "x/y", expires: inMinutes(45) })),
  );
  assert.equal(asked, 1);
});

Deno.test("uploadToS3() judges expiry by the deployment's clock", async () => {
  await using store = new ScriptedStore([{ answer: trouble }, { answer: accepted, readBytes: 7 }]);
  let asked = 0;
  const target = () => (asked++, { putUrl: store.url, contentType: "x/y", expires: inMinutes(45) });
  await uploadToS3(bytes, { ...options(target), clockSkewMs: () => 3_600_000 });
  assert.equal(asked, 2);
});

Deno.test("uploadToS3() sends the type that the queue answered with", async () => {
  await using store = new ScriptedStore([{ answer: accepted, readBytes: 7 }]);
  await uploadToS3(
    bytes,
    options(() => ({ putUrl: store.url, contentType: "application/odd", expires: inMinutes(45) })),
  );
  assert.match(store.seen[0]!.head, /^content-type: application\/odd$/im);
});

Deno.test("uploadToS3() gives up 15 minutes after the first failure", async () => {
  await using store = new ScriptedStore([{ answer: trouble }]);
  const given = options(() => ({ putUrl: store.url, contentType: "x/y", expires: inMinutes(45) }));
  await assert.rejects(uploadToS3(bytes, given), {
    name: "ArtifactError",
    kind: "unavailable",
    message: /503/,
  });
  assert.ok(
    given.clock.sleptMs > 13 * 60_000 && given.clock.sleptMs < 15 * 60_000,
    String(given.clock.sleptMs),
  );
});

Deno.test("uploadToS3() starts a stream over for each attempt", async () => {
  await using store = new ScriptedStore([{ readBytes: 300_000 }, { answer: accepted }]);
  const content = new Uint8Array(500_000).map((_, index) => index % 251);
  let position = 0;
  const source = {
    read: (buffer: Uint8Array) => {
      const piece = content.subarray(position, position + buffer.length);
      buffer.set(piece);
      position += piece.length;
      return Promise.resolve(piece.length);
    },
    seek: (offset: number) => {
      position = offset;
      return Promise.resolve();
    },
    close: () => {},
  };
  await uploadToS3(
    identityBody(source, { sizeBytes: content.length }),
    options(() => ({ putUrl: store.url, contentType: "x/y", expires: inMinutes(45) })),
  );
  assert.deepEqual(new Uint8Array(store.seen[1]!.body), content);
});

Deno.test("uploadToS3() does not repeat what fails in reading the file", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  const source = {
    read: () => Promise.reject(new Error("bad sector")),
    seek: () => Promise.resolve(),
    close: () => {},
  };
  const given = options(() => ({ putUrl: store.url, contentType: "x/y", expires: inMinutes(45) }));
  await assert.rejects(uploadToS3(identityBody(source, { sizeBytes: 5 }), given), /bad sector/);
  assert.equal(store.connections, 1);
});

Deno.test("uploadToS3() starts a stream over only when the attempt before has let go of it", async () => {
  await using store = new ScriptedStore([{ readBytes: 1 }, { answer: accepted }]);
  const content = new Uint8Array(2_000_000).map((_, index) => index % 251);
  let position = 0;
  let reading = false;
  const source = {
    // The position moves when a read ends, as with a file of another process.
    read: async (buffer: Uint8Array) => {
      reading = true;
      const piece = content.subarray(position, position + buffer.length);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
      buffer.set(piece);
      position += piece.length;
      reading = false;
      return piece.length;
    },
    seek: (offset: number) => {
      assert.equal(reading, false, "nobody else reads");
      position = offset;
      return Promise.resolve();
    },
    close: () => {},
  };
  await uploadToS3(
    identityBody(source, { sizeBytes: content.length }),
    options(() => ({ putUrl: store.url, contentType: "x/y", expires: inMinutes(45) })),
  );
  assert.deepEqual(new Uint8Array(store.seen.at(-1)!.body), content);
});
