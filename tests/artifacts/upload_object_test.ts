/** Talking to an object service that answers as a test tells it, about stores that see requests byte by byte. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Body, identityBody } from "../../src/artifacts/body.ts";
import { ContentHash, hashesOf } from "../../src/artifacts/content_hash.ts";
import type { EncodedBody } from "../../src/artifacts/encode.ts";
import { objectHashAlgorithms, uploadObject } from "../../src/artifacts/upload_object.ts";
import { Secret } from "../../src/base/secret.ts";
import { silentWorkerLog } from "../../src/log/worker_log.ts";
import { ServiceClient } from "../../src/services/client.ts";
import type { ChosenUploadMethod } from "../../src/services/object_upload.ts";
import { HastyClock } from "../support/hasty_clock.ts";
import { accepted, ScriptedStore } from "./scripted_store.ts";

interface Call {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** Answers createUpload with these methods in turn, the last one from then on. */
class ScriptedObjectService implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly rootUrl: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(methods: readonly ChosenUploadMethod[]) {
    let creations = 0;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { pathname } = new URL(request.url);
      this.calls.push({ path: pathname.replace("/api/object/v1/", ""), body: await request.json() });
      if (request.method !== "PUT") return Response.json({});
      return Response.json({ uploadMethod: methods[Math.min(creations++, methods.length - 1)] });
    });
    this.rootUrl = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

const upload = {
  name: "t/task/0/public/a b",
  projectId: "none",
  uploadId: "upload-1",
  expires: "2100-01-01T00:00:00.000Z",
  credentials: { clientId: "uploader", accessToken: new Secret("token") },
};

function bytesOf(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(sizeBytes).map((_, index) => index % 251);
}

function inMemory(bytes: Uint8Array<ArrayBuffer>): EncodedBody {
  return encoded({ bytes }, () => hashesOf(bytes, objectHashAlgorithms));
}

function streamed(bytes: Uint8Array<ArrayBuffer>): EncodedBody {
  let position = 0;
  const hash = new ContentHash(objectHashAlgorithms);
  const source = {
    read: (buffer: Uint8Array) => {
      const piece = bytes.subarray(position, position + buffer.length);
      buffer.set(piece);
      position += piece.length;
      return Promise.resolve(piece.length);
    },
    seek: (offset: number) => Promise.resolve(void (position = offset)),
    close: () => {},
  };
  return encoded(identityBody(source, { sizeBytes: bytes.length, hash }), () => hash.values);
}

function encoded(body: Body, hashes: EncodedBody["hashes"]): EncodedBody {
  return { body, sizeBytes: 0, copied: false, hashes, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function send(body: EncodedBody, service: ScriptedObjectService): Promise<void> {
  const clock = new HastyClock();
  const client = new ServiceClient({ rootUrl: service.rootUrl, clock });
  const { signal } = new AbortController();
  const options = { name: "public/a b", signal, clock, clockSkewMs: () => 0, log: silentWorkerLog };
  await uploadObject(body, { ...options, client, upload, contentType: "text/plain" });
}

function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}

function to(
  store: ScriptedStore,
  headers: Readonly<Record<string, string>>,
  minutes = 45,
): ChosenUploadMethod {
  return { putUrl: { url: store.url, expires: inMinutes(minutes), headers } };
}

const closing = accepted.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");

for (const [what, make] of [["in memory", inMemory], ["streamed", streamed]] as const) {
  Deno.test(`W-21: a body ${what} is put with all headers it is given and its exact length`, async () => {
    const content = bytesOf(300_000);
    await using store = new ScriptedStore([{ answer: closing }]);
    await using service = new ScriptedObjectService([to(store, {
      "Content-Type": "text/odd; x=y",
      "content-length": "300000",
      "Content-Encoding": "identity",
      "Content-Disposition": 'attachment; filename="a b"',
      "X-Amz-Meta-Thing": "1",
    })]);
    await send(make(content), service);
    const { head, body } = store.seen[0]!;
    const headers = head.split("\r\n").slice(1).map((line) =>
      line.replace(/^[^:]+/, (name) => name.toLowerCase())
    );
    for (
      const header of [
        "content-type: text/odd; x=y",
        "content-length: 300000",
        "content-encoding: identity",
        'content-disposition: attachment; filename="a b"',
        "x-amz-meta-thing: 1",
      ]
    ) assert.equal(headers.filter((line) => line === header).length, 1, header);
    assert.ok(!/transfer-encoding/i.test(head));
    assert.deepEqual(new Uint8Array(body), content);
  });
}

Deno.test("uploadObject() repeats the ids of the upload, and ends it with both hashes", async () => {
  const content = bytesOf(10_000);
  await using store = new ScriptedStore([{ answer: closing }]);
  await using service = new ScriptedObjectService([to(store, {})]);
  await send(inMemory(content), service);
  const hex = (algorithm: string) => createHash(algorithm).update(content).digest("hex");
  const { name, projectId, uploadId, expires } = upload;
  assert.deepEqual(service.calls, [{
    path: `upload/${encodeURIComponent(name)}`,
    body: {
      projectId,
      uploadId,
      expires,
      proposedUploadMethods: { putUrl: { contentType: "text/plain", contentLength: 10_000 } },
    },
  }, {
    path: `finish-upload/${encodeURIComponent(name)}`,
    body: { projectId, uploadId, hashes: { sha256: hex("sha256"), sha512: hex("sha512") } },
  }]);
});

Deno.test("uploadObject() proposes to send the data along below 8192 bytes only, and always an address", async () => {
  for (const sizeBytes of [0, 1, 8191, 8192]) {
    const content = bytesOf(sizeBytes);
    await using store = new ScriptedStore([{ answer: closing }]);
    await using service = new ScriptedObjectService([
      sizeBytes < 8192 ? { dataInline: true } : to(store, {}),
    ]);
    await send(inMemory(content), service);
    const objectData = btoa(String.fromCharCode(...content));
    assert.ok(sizeBytes === 8192 || objectData.length <= 10_926);
    assert.deepEqual(service.calls[0]!.body["proposedUploadMethods"], {
      putUrl: { contentType: "text/plain", contentLength: sizeBytes },
      ...(sizeBytes < 8192 ? { dataInline: { contentType: "text/plain", objectData } } : {}),
    });
    assert.equal(store.connections, sizeBytes < 8192 ? 0 : 1);
    assert.equal(service.calls.length, 2);
  }
});

Deno.test("uploadObject() puts small data too when the service would rather have it so", async () => {
  await using store = new ScriptedStore([{ answer: closing }]);
  await using service = new ScriptedObjectService([to(store, { "Content-Length": "5" })]);
  await send(inMemory(bytesOf(5)), service);
  assert.deepEqual(new Uint8Array(store.seen[0]!.body), bytesOf(5));
});

Deno.test("uploadObject() sends nothing more when the fresh address turns out to be needless", async () => {
  const trouble = "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  await using store = new ScriptedStore([{ answer: trouble }]);
  await using service = new ScriptedObjectService([to(store, {}, 0.1), { dataInline: true }]);
  await send(inMemory(bytesOf(5)), service);
  assert.equal(store.connections, 1);
  assert.deepEqual(service.calls.map(({ path }) => path.split("/")[0]), [
    "upload",
    "upload",
    "finish-upload",
  ]);
});

Deno.test("uploadObject() fails when there is no method that both sides know", async () => {
  await using service = new ScriptedObjectService([{}]);
  await assert.rejects(send(inMemory(bytesOf(5)), service), {
    name: "ArtifactError",
    kind: "unavailable",
    message: "public/a b: could not negotiate an upload method",
  });
});

Deno.test("uploadObject() does not send to an address for another length", async () => {
  await using store = new ScriptedStore([{ answer: closing }]);
  await using service = new ScriptedObjectService([to(store, { "Content-Length": "6" })]);
  await assert.rejects(send(inMemory(bytesOf(5)), service), {
    kind: "unavailable",
    message: "public/a b: the address is for 6 bytes, the content has 5",
  });
  assert.equal(store.connections, 0);
});

Deno.test("uploadObject() does not finish what the store accepted before it had all of it", async () => {
  await using store = new ScriptedStore([{ answer: accepted, readBytes: 10 }]);
  await using service = new ScriptedObjectService([to(store, {})]);
  await assert.rejects(send(streamed(bytesOf(20_000_000)), service), {
    kind: "unavailable",
    message: "public/a b: the store took it before all of it was sent",
  });
  assert.equal(service.calls.length, 1);
});
