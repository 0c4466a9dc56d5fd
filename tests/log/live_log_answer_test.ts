/** Which part of a live log a request gets, while the log grows and after it. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { answerTo, type LogState } from "../../src/log/live_log_answer.ts";
import { BadRequest, type LiveLogRequest, readRequest } from "../../src/log/live_log_request.ts";

const etag = '"log"';
const forever = Number.MAX_SAFE_INTEGER;

function answer(state: LogState, headers: Readonly<Record<string, string>>) {
  const request: LiveLogRequest = {
    method: "GET",
    target: "/log/token",
    chunks: true,
    headers: new Map(Object.entries(headers)),
  };
  return answerTo(request, { address: { isToken: (text) => text === "token", etag }, state });
}

/** Status, range as told, first byte, byte after the last, and the length where it is certain. */
function summary(state: LogState, range: string) {
  const { status, headers, body, lengthBytes } = answer(state, { range });
  const part = typeof body === "object" ? [body.from, body.toBytes] : [];
  return [status, headers["Content-Range"], ...part, ...lengthBytes === undefined ? [] : [lengthBytes]];
}

const growing: LogState = { sizeBytes: 100, ended: false };
const ended: LogState = { sizeBytes: 100, ended: true };

Deno.test("ranges of a growing log go on with it where their end is not there yet", () => {
  assert.deepEqual(summary(growing, "bytes=10-19"), [206, "bytes 10-19/*", 10, 20, 10]);
  assert.deepEqual(summary(growing, "bytes=10-99"), [206, "bytes 10-99/*", 10, 100, 90]);
  assert.deepEqual(summary(growing, "bytes=10-199"), [206, "bytes 10-199/*", 10, 200]);
  assert.deepEqual(summary(growing, "bytes=10-"), [206, `bytes 10-${forever}/*`, 10, Infinity]);
  assert.deepEqual(summary(growing, `bytes=10-${forever}`), [206, `bytes 10-${forever}/*`, 10, Infinity]);
  assert.deepEqual(summary(growing, "bytes=100-"), [206, `bytes 100-${forever}/*`, 100, Infinity]);
  assert.deepEqual(summary(growing, "bytes=-30"), [206, `bytes 70-${forever}/*`, 70, Infinity]);
  assert.deepEqual(summary(growing, "bytes=101-"), [416, "bytes */100"]);
});

Deno.test("ranges of a finished log are what RFC 9110 says", () => {
  assert.deepEqual(summary(ended, "bytes=10-19"), [206, "bytes 10-19/100", 10, 20, 10]);
  assert.deepEqual(summary(ended, "bytes=10-"), [206, "bytes 10-99/100", 10, 100, 90]);
  assert.deepEqual(summary(ended, "bytes=90-500"), [206, "bytes 90-99/100", 90, 100, 10]);
  assert.deepEqual(summary(ended, "bytes=-30"), [206, "bytes 70-99/100", 70, 100, 30]);
  assert.deepEqual(summary(ended, "bytes=-300"), [206, "bytes 0-99/100", 0, 100, 100]);
  for (const range of ["bytes=100-", "bytes=-0", "bytes=500-600"]) {
    assert.deepEqual(summary(ended, range), [416, "bytes */100"], range);
  }
  assert.deepEqual(summary({ sizeBytes: 0, ended: true }, "bytes=-5"), [416, "bytes */0"]);
});

Deno.test("a Range that is none, or of another log, is ignored", () => {
  for (
    const range of [
      "",
      "bytes=",
      "bytes=-",
      "bytes=5",
      "lines=1-2",
      "bytes=20-10",
      "bytes=1-2,5-6",
      "bytes=a-b",
    ]
  ) {
    assert.deepEqual(summary(growing, range), [200, undefined, 0, Infinity], range);
  }
  assert.equal(answer(growing, { range: "bytes=5-", "if-range": etag }).status, 206);
  assert.equal(answer(growing, { range: "bytes=5-", "if-range": '"other"' }).status, 200);
});

Deno.test("a part that is promised with a length lies inside the log", () => {
  const numbers = fc.oneof(fc.nat(300), fc.bigInt({ min: 0n, max: 10n ** 22n })).map(String);
  const range = fc.tuple(fc.oneof(numbers, fc.constant("")), fc.oneof(numbers, fc.constant("")));
  const states = fc.record({ sizeBytes: fc.nat(200), ended: fc.boolean() });
  fc.assert(fc.property(states, range, (state, [first, last]) => {
    const { status, body, lengthBytes } = answer(state, { range: `bytes=${first}-${last}` });
    if (status === 416) return;
    assert.ok(typeof body === "object" && typeof body.from === "number");
    assert.ok(body.from <= state.sizeBytes && body.toBytes >= body.from);
    if (lengthBytes !== undefined) {
      assert.equal(lengthBytes, body.toBytes - body.from);
      assert.ok(body.toBytes <= state.sizeBytes);
    } else assert.ok(!state.ended);
  }));
});

/** Gives the bytes in pieces of the given sizes, then ends. */
function pieces(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0;
  let turn = 0;
  return {
    read(buffer: Uint8Array): Promise<number | null> {
      if (at >= bytes.length) return Promise.resolve(null);
      const size = Math.min(sizes[turn++ % sizes.length] ?? 1, buffer.length, bytes.length - at);
      buffer.set(bytes.subarray(at, at + size));
      at += size;
      return Promise.resolve(size);
    },
  };
}

Deno.test("10 000 random requests are read, refused or given up, in whatever pieces they come", async () => {
  const words = [
    "GET",
    " ",
    "/log/token",
    "HTTP/1.1",
    "\r\n",
    "\n",
    ":",
    "Range: bytes=1-",
    "\0",
    "ä",
    "\r\n\r\n",
    "X",
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((parts) => parts.join("")),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => String.fromCharCode(...bytes)),
  );
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      async (sent, sizes) => {
        const bytes = Uint8Array.from(sent, (char) => char.charCodeAt(0));
        const read = async (given: readonly number[]) => {
          try {
            return await readRequest(pieces(bytes, given));
          } catch (error) {
            assert.ok(error instanceof BadRequest, String(error));
            return error.status;
          }
        };
        assert.deepEqual(await read(sizes), await read([1]));
      },
    ),
    { numRuns: 10_000 },
  );
});
