/** Single PUTs, seen from the other end of the connection. */

import assert from "node:assert/strict";
import { ArtifactError } from "../../src/artifacts/artifact_error.ts";
import { StalledError } from "../../src/artifacts/put.ts";
import { putBytes } from "../../src/artifacts/put_bytes.ts";
import { putStream } from "../../src/artifacts/put_stream.ts";
import { localhostCertificate } from "./localhost_certificate.ts";
import { accepted, ScriptedStore } from "./scripted_store.ts";

const headers = { "Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "identity" };
const never = new AbortController().signal;
const options = { headers, signal: never, stallMs: 60_000 };

/** A body of pieces. */
function pieces(...texts: string[]): { lengthBytes: number; read: () => Promise<Uint8Array | undefined> } {
  const all = texts.map((text) => new TextEncoder().encode(text));
  let next = 0;
  return {
    lengthBytes: all.reduce((sum, piece) => sum + piece.length, 0),
    read: () => Promise.resolve(all[next++]),
  };
}

/** A body without end, of which `lengthBytes` are announced. */
function endless(lengthBytes: number) {
  const piece = new Uint8Array(64 * 1024);
  return { lengthBytes, read: () => Promise.resolve(piece) };
}

function headerNames(head: string): string[] {
  return head.split("\r\n").slice(1).map((line) => line.split(":")[0]!.toLowerCase());
}

for (const size of [0, 1, 70_000]) {
  Deno.test(`putBytes() sends ${size} bytes with their length and never chunked`, async () => {
    await using store = new ScriptedStore([{
      answer: accepted.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
    }]);
    const answer = await putBytes(store.url, { ...options, bytes: new Uint8Array(size).fill(7) });
    assert.equal(answer.status, 200);
    const [request] = store.seen;
    assert.match(request!.head, new RegExp(`^content-length: ${size}$`, "im"));
    assert.match(request!.head, /^content-encoding: identity$/im);
    assert.match(request!.head, /^content-type: text\/plain; charset=utf-8$/im);
    assert.ok(!headerNames(request!.head).includes("transfer-encoding"));
    assert.equal(request!.body.length, size);
  });
}

Deno.test("putStream() sends the address as it is, exactly the headers it is given, and the exact length", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  const answer = await putStream(store.url, { ...options, ...pieces("one ", "two ", "three") });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("etag"), '"1"');
  const { head, body } = store.seen[0]!;
  assert.match(head, /^PUT \/bucket\/key%20name\?signature=secret HTTP\/1\.1\r\n/);
  assert.deepEqual(headerNames(head), [
    "host",
    "content-type",
    "content-encoding",
    "content-length",
    "connection",
  ]);
  assert.match(head, /\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  assert.match(head, /\r\nContent-Length: 13\r\n/);
  assert.equal(new TextDecoder().decode(body), "one two three");
});

Deno.test("putStream() sends an empty body with its length", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  await putStream(store.url, { ...options, ...pieces() });
  assert.match(store.seen[0]!.head, /\r\nContent-Length: 0\r\n/);
});

Deno.test("putStream() speaks TLS and checks the certificate", async () => {
  await using store = new ScriptedStore([{ answer: accepted }], { tls: true });
  const request = { ...options, ...pieces("secret") };
  await assert.rejects(putStream(store.url, request), /certificate/i);
  const answer = await putStream(store.url, {
    ...options,
    ...pieces("secret"),
    caCerts: [localhostCertificate],
  });
  assert.equal(answer.status, 200);
  assert.equal(new TextDecoder().decode(store.seen[0]!.body), "secret");
});

Deno.test("putStream() skips informational answers", async () => {
  await using store = new ScriptedStore([{
    answer: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${accepted}`,
  }]);
  assert.equal((await putStream(store.url, { ...options, ...pieces("x") })).status, 200);
});

Deno.test("putStream() gives the refusal of a store that does not read the body to its end", async () => {
  const answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nConnection: close\r\n\r\nno access";
  await using store = new ScriptedStore([{ readBytes: 100_000, answer, holdOpen: true }]);
  const { status, statusText, body } = await putStream(store.url, { ...options, ...endless(1e12) });
  assert.deepEqual({ status, statusText, body }, { status: 403, statusText: "Forbidden", body: "no access" });
});

Deno.test("putStream() reads refusals with a chunked body, and in UTF-8", async () => {
  const answer =
    "HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nna\u00efv\r\n2;x=y\r\n e\r\n0\r\n\r\n";
  await using store = new ScriptedStore([{ answer, holdOpen: true }]);
  assert.equal((await putStream(store.url, { ...options, ...pieces("x") })).body, "na\u00efv e");
});

Deno.test("putStream() fails when the store hangs up without an answer", async () => {
  await using store = new ScriptedStore([{ readBytes: 10 }]);
  await assert.rejects(putStream(store.url, { ...options, ...endless(1e12) }), (error: Error) => {
    assert.ok(!(error instanceof ArtifactError) && !(error instanceof StalledError), String(error));
    return true;
  });
});

Deno.test("putStream() fails on an answer that is none", async () => {
  await using store = new ScriptedStore([{ answer: "SSH-2.0-OpenSSH\r\n\r\n" }]);
  await assert.rejects(putStream(store.url, { ...options, ...pieces("x") }), /not HTTP/);
});

Deno.test("putStream() gives up on a store that takes nothing any more", async () => {
  await using store = new ScriptedStore([{ readBytes: 0, holdOpen: true }]);
  await assert.rejects(putStream(store.url, { ...options, stallMs: 50, ...endless(1e12) }), StalledError);
});

Deno.test("putStream() gives up on a store that never answers", async () => {
  await using store = new ScriptedStore([{ holdOpen: true }]);
  await assert.rejects(putStream(store.url, { ...options, stallMs: 50, ...pieces("x") }), StalledError);
});

Deno.test("putBytes() gives up on a store that never answers", async () => {
  await using store = new ScriptedStore([{ holdOpen: true }]);
  await assert.rejects(
    putBytes(store.url, { ...options, stallMs: 50, bytes: new Uint8Array(1) }),
    StalledError,
  );
});

Deno.test("putStream() ends with the signal's reason while it sends", async () => {
  await using store = new ScriptedStore([{ readBytes: 0, holdOpen: true }]);
  const controller = new AbortController();
  const reason = new Error("enough");
  const { lengthBytes, read } = endless(1e12);
  let reads = 0;
  const ended = putStream(store.url, {
    ...options,
    signal: controller.signal,
    lengthBytes,
    read: () => {
      if (++reads === 5) controller.abort(reason);
      return read();
    },
  });
  await assert.rejects(ended, reason);
});

Deno.test("putStream() does not connect for a signal that has aborted", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  await assert.rejects(
    putStream(store.url, { ...options, ...pieces("x"), signal: AbortSignal.abort(new Error("no")) }),
    /no/,
  );
  assert.equal(store.connections, 0);
});

Deno.test("putStream() refuses to send a body of another length than announced", async () => {
  for (const lengthBytes of [3, 5]) {
    await using store = new ScriptedStore([{ answer: accepted }]);
    const request = { ...options, lengthBytes, read: pieces("four").read };
    await assert.rejects(putStream(store.url, request), { name: "ArtifactError", kind: "unreadable" });
  }
});

Deno.test("putStream() gives the error of its body", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  const reason = new Error("disk on fire");
  const request = { ...options, lengthBytes: 3, read: () => Promise.reject(reason) };
  await assert.rejects(putStream(store.url, request), reason);
});

Deno.test("putStream() sends no header that would end its line", async () => {
  await using store = new ScriptedStore([{ answer: accepted }]);
  const evil = { "Content-Type": "text/plain\r\nX-Evil: 1" };
  await assert.rejects(putStream(store.url, { ...options, ...pieces("x"), headers: evil }), TypeError);
  assert.deepEqual(store.seen, []);
});

Deno.test("putStream() fails when nobody listens", async () => {
  const store = new ScriptedStore([]);
  await store[Symbol.asyncDispose]();
  await assert.rejects(putStream(store.url, { ...options, ...pieces("x") }), Deno.errors.ConnectionRefused);
});
