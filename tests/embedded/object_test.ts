import { strict as assert } from "node:assert";
import { createObjectService } from "../../src/embedded/object.ts";
import { dayMs, hourMs, ServiceClock } from "./service_clock.ts";
import { MemoryObjectStore } from "./memory_object_store.ts";
import { ServiceDriver } from "./service_driver.ts";

const uploadId = "AAAAAAAAQAGAAAAAAAAAAA";
const otherUploadId = "BBBBBBBBQBGBBBBBBBBBBA";
const params = { name: "t/some task/0/public/log.txt" };
const sha256 = "a".repeat(64);
const sha512 = "b".repeat(128);

function start() {
  const clock = new ServiceClock();
  const store = new MemoryObjectStore();
  const service = createObjectService({ clock, store, urlLifeMs: hourMs });
  const driver = new ServiceDriver(service);
  const ids = { projectId: "none", uploadId, expires: clock.timestamp(dayMs) };
  const proposedUploadMethods = { putUrl: { contentType: "text/plain", contentLength: 3 } };
  const createUpload = (change = {}) =>
    driver.call("createUpload", { params, body: { ...ids, proposedUploadMethods, ...change } });
  const refusedUpload = (change = {}) =>
    driver.refusal("createUpload", { params, body: { ...ids, proposedUploadMethods, ...change } });
  const finishBody = (change = {}) => ({ params, body: { projectId: "none", uploadId, ...change } });
  const finish = (change = {}) => driver.call("finishUpload", finishBody(change));
  const refusedFinish = (change = {}) => driver.refusal("finishUpload", finishBody(change));
  const startDownload = async (acceptDownloadMethods: Record<string, true>) =>
    (await driver.call("startDownload", { params, body: { acceptDownloadMethods } })).body;
  return { clock, store, service, driver, createUpload, refusedUpload, finish, refusedFinish, startDownload };
}

/** The URL of an answer that offers `putUrl`. */
function putUrlOf(body: Readonly<Record<string, unknown>>): string {
  return (body["uploadMethod"] as { putUrl: { url: string } }).putUrl.url;
}

function base64(bytes: number): string {
  return btoa("A".repeat(bytes));
}

Deno.test("object has a handler for every entry of its reference", () => {
  const { service, driver } = start();
  assert.deepEqual(Object.keys(service.handlers).sort(), driver.entryNames().sort());
});

Deno.test("createUpload offers a PUT with exactly the headers the client must send", async () => {
  const { clock, store, createUpload } = start();
  const { uploadMethod } = (await createUpload()).body;
  const [url] = store.grants.keys();
  assert.deepEqual(uploadMethod, {
    putUrl: {
      url,
      expires: clock.timestamp(hourMs),
      headers: { "Content-Type": "text/plain", "Content-Length": "3" },
    },
  });
  assert.deepEqual([...store.grants.values()], [
    { name: params.name, contentType: "text/plain", contentLength: 3, expiresMs: clock.nowMs() + hourMs },
  ]);
});

Deno.test("createUpload prefers inline data, also of no bytes at all, and stores it at once", async () => {
  for (const size of [0, 1, 8191]) {
    const { store, createUpload } = start();
    const { uploadMethod } = (await createUpload({
      proposedUploadMethods: {
        dataInline: { contentType: "text/x-inline", objectData: base64(size) },
        putUrl: { contentType: "text/x-put", contentLength: size },
      },
    })).body;
    assert.deepEqual(uploadMethod, { dataInline: true });
    const stored = store.contents.get(params.name);
    assert.deepEqual([stored?.bytes.length, stored?.contentType], [size, "text/x-inline"]);
  }
});

Deno.test("createUpload refuses inline data that is no base64 or above 8 KiB", async () => {
  const { refusedUpload } = start();
  const inline = (objectData: string) => ({
    proposedUploadMethods: { dataInline: { contentType: "text/plain", objectData } },
  });
  assert.equal(await refusedUpload(inline("*")), "400 InputError");
  assert.equal(await refusedUpload(inline(base64(8193))), "400 InputError");
  assert.equal(await refusedUpload(inline("A".repeat(10928))), "400 InputValidationError");
});

Deno.test("createUpload with no known method reserves the name and offers none", async () => {
  const { createUpload, refusedUpload } = start();
  assert.deepEqual((await createUpload({ proposedUploadMethods: {} })).body["uploadMethod"], {});
  assert.equal(await refusedUpload({ uploadId: otherUploadId }), "409 RequestConflict");
});

Deno.test("createUpload repeated gives a fresh URL, and is refused for other ids or another expiry", async () => {
  const { clock, createUpload, refusedUpload } = start();
  const first = putUrlOf((await createUpload()).body);
  assert.notEqual(putUrlOf((await createUpload()).body), first);
  const conflicts = [{ uploadId: otherUploadId }, { projectId: "other" }, {
    expires: clock.timestamp(hourMs),
  }];
  for (const change of conflicts) assert.equal(await refusedUpload(change), "409 RequestConflict");
});

Deno.test("createUpload is refused once the upload is finished, and for an expiry in the past", async () => {
  const { clock, store, createUpload, refusedUpload, finish } = start();
  store.put(putUrlOf((await createUpload()).body), new Uint8Array(3));
  await finish();
  assert.equal(await refusedUpload(), "409 RequestConflict");
  assert.equal(await refusedUpload({ expires: clock.timestamp(-1) }), "400 InputError");
});

Deno.test("finishUpload needs the data, the object and the ids of its upload", async () => {
  const { createUpload, refusedFinish } = start();
  assert.equal(await refusedFinish(), "404 ResourceNotFound");
  await createUpload();
  assert.equal(await refusedFinish(), "400 InputError");
  assert.equal(await refusedFinish({ uploadId: otherUploadId }), "409 RequestConflict");
  assert.equal(await refusedFinish({ projectId: "other" }), "409 RequestConflict");
});

Deno.test("finishUpload can be repeated and adds hashes, but none that contradicts an earlier one", async () => {
  const { store, driver, createUpload, finish, refusedFinish } = start();
  store.put(putUrlOf((await createUpload({ hashes: { sha256 } })).body), new Uint8Array(3));
  assert.equal(await refusedFinish({ hashes: { sha256: "c".repeat(64) } }), "409 RequestConflict");
  assert.equal(await driver.refusal("object", { params }), "404 ResourceNotFound");
  await finish({ hashes: { sha512 } });
  await finish({ hashes: { sha512 } });
  assert.equal(await refusedFinish({ hashes: { sha512: "c".repeat(128) } }), "409 RequestConflict");
  assert.deepEqual((await driver.call("object", { params })).body["hashes"], { sha256, sha512 });
});

Deno.test("startDownload offers getUrl with hashes and expiry, or simple, whichever the client takes", async () => {
  const { clock, store, createUpload, finish, startDownload } = start();
  store.put(putUrlOf((await createUpload()).body), new Uint8Array(3));
  await finish({ hashes: { sha256 } });
  const download = await startDownload({ getUrl: true, simple: true });
  const expires = clock.timestamp(hourMs);
  assert.deepEqual(download, { method: "getUrl", url: download["url"], expires, hashes: { sha256 } });
  const grant = store.downloads.get(String(download["url"]));
  assert.deepEqual(grant, { name: params.name, expiresMs: clock.nowMs() + hourMs });
  const simple = await startDownload({ simple: true });
  assert.deepEqual(simple, { method: "simple", url: simple["url"] });
});

Deno.test("startDownload refuses with 406 when the client accepts no method", async () => {
  const { store, driver, createUpload, finish } = start();
  store.put(putUrlOf((await createUpload()).body), new Uint8Array(3));
  await finish();
  const call = { params, body: { acceptDownloadMethods: {} } };
  assert.equal(await driver.refusal("startDownload", call), "406 NoMatchingMethod");
});

Deno.test("an object cannot be downloaded before its upload is finished, nor after it expired", async () => {
  const { clock, store, driver, createUpload, finish, startDownload } = start();
  store.put(putUrlOf((await createUpload()).body), new Uint8Array(3));
  const gone = async () => [
    await driver.refusal("startDownload", { params, body: { acceptDownloadMethods: { getUrl: true } } }),
    await driver.refusal("download", { params }),
    await driver.refusal("object", { params }),
  ];
  assert.deepEqual(await gone(), Array(3).fill("404 ResourceNotFound"));
  await finish();
  await clock.advance(dayMs - 1);
  assert.equal(
    (await startDownload({ getUrl: true }))["expires"],
    clock.timestamp(1),
    "URL ends with the object",
  );
  await clock.advance(1);
  assert.deepEqual(await gone(), Array(3).fill("404 ResourceNotFound"));
  assert.deepEqual([...store.contents.keys()], [], "bytes are freed");
});

Deno.test("an expired object's name can be used again", async () => {
  const { clock, createUpload } = start();
  await createUpload();
  await clock.advance(dayMs);
  await createUpload({ uploadId: otherUploadId, expires: clock.timestamp(dayMs) });
});

Deno.test("download redirects with 303 to the bytes", async () => {
  const { store, driver, createUpload, finish } = start();
  store.put(putUrlOf((await createUpload()).body), new Uint8Array(3));
  await finish();
  const { status, location } = await driver.call("download", { params });
  assert.equal(status, 303);
  assert.equal(store.downloads.get(String(location))?.name, params.name);
});

Deno.test("uploads ask for the scope of project and name", async () => {
  const { driver, clock } = start();
  const body = {
    projectId: "mine",
    uploadId,
    expires: clock.timestamp(dayMs),
    proposedUploadMethods: {},
  };
  await driver.call("createUpload", { params, body, scopes: [`object:upload:mine:${params.name}`] });
  const foreign = [`object:upload:other:${params.name}`];
  assert.equal(
    await driver.refusal("createUpload", { params, body, scopes: foreign }),
    "403 InsufficientScopes",
  );
});
