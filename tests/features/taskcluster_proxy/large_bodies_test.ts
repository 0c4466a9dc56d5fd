/** Bodies that do not fit into memory (weakness TP-8). */

import assert from "node:assert/strict";
import { withProxy } from "./proxy.ts";

const pieceBytes = 64 * 1024;
const pieces = 3_200;
const lengthBytes = pieces * pieceBytes;
/** Buffers of three connections, and what the collector has not yet looked at. */
const allowedBytes = 60 * 1024 * 1024;

for (const framing of [`Content-Length: ${lengthBytes}`, "Transfer-Encoding: chunked"]) {
  Deno.test(`TP-8: 200 MB with ${framing.split(":")[0]} go both ways at once, in order, with flat memory`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const heads: string[] = [];
    const echoing = echo(listener, heads);
    await withProxy(() => undefined, async ({ client }) => {
      const { conn } = await client();
      const beforeBytes = Deno.memoryUsage().rss;
      const sending = sendAll(conn, framing);
      const { sizeBytes, sum, mostBytes } = await receiveAll(conn);
      await sending;
      assert.ok(sizeBytes > lengthBytes, `${sizeBytes} bytes came back`);
      assert.equal(sum, expectedSum());
      assert.ok(mostBytes - beforeBytes < allowedBytes, `${(mostBytes - beforeBytes) / 1e6} MB more memory`);
    }, { rootUrl: `http://127.0.0.1:${listener.addr.port}` });
    await echoing;
    assert.ok(heads[0]?.includes(`\r\n${framing}\r\n`), heads[0]);
  });
}

/** Every piece is filled with one byte, never one of the framing. */
function mark(piece: number): number {
  return 128 + piece % 128;
}

function expectedSum(): number {
  let sum = 0;
  for (let piece = 0; piece < pieces; piece++) sum += mark(piece) * (piece % 7 + 1);
  return sum;
}

async function sendAll(conn: Deno.Conn, framing: string): Promise<void> {
  const chunked = framing.endsWith("chunked");
  await writeAll(conn, text(`PUT /a/v1/x HTTP/1.1\r\nConnection: close\r\n${framing}\r\n\r\n`));
  for (let piece = 0; piece < pieces; piece++) {
    if (chunked) await writeAll(conn, text(`${pieceBytes.toString(16)}\r\n`));
    await writeAll(conn, new Uint8Array(pieceBytes).fill(mark(piece)));
    if (chunked) await writeAll(conn, text("\r\n"));
  }
  if (chunked) await writeAll(conn, text("0\r\n\r\n"));
}

/** Counts the marks in order; whatever else arrives is framing. */
async function receiveAll(conn: Deno.Conn): Promise<{ sizeBytes: number; sum: number; mostBytes: number }> {
  const buffer = new Uint8Array(256 * 1024);
  let [sizeBytes, marks, sum, mostBytes] = [0, 0, 0, 0];
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    sizeBytes += count;
    for (let at = 0; at < count; at++) {
      const byte = buffer[at]!;
      if (byte < 128) continue;
      const piece = Math.floor(marks / pieceBytes);
      if (byte !== mark(piece)) throw new Error(`Byte ${marks} of the body is ${byte}, not ${mark(piece)}`);
      if (marks++ % pieceBytes === 0) sum += byte * (piece % 7 + 1);
    }
    mostBytes = Math.max(mostBytes, Deno.memoryUsage().rss);
  }
  return { sizeBytes, sum, mostBytes };
}

/** Answers with the body it gets, while it gets it. */
async function echo(listener: Deno.TcpListener, heads: string[]): Promise<void> {
  using conn = await listener.accept();
  const buffer = new Uint8Array(pieceBytes);
  let head = "";
  while (!head.includes("\r\n\r\n")) {
    const count = await conn.read(buffer.subarray(0, 1));
    if (count === null) return;
    head += String.fromCharCode(buffer[0]!);
  }
  heads.push(head);
  const counted = /^content-length/im.test(head);
  await writeAll(conn, text("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
  let tail = "";
  let leftBytes = counted ? lengthBytes : Infinity;
  while (leftBytes > 0) {
    const count = await conn.read(buffer);
    if (count === null) break;
    leftBytes -= count;
    await writeAll(conn, buffer.subarray(0, count));
    tail = (tail + String.fromCharCode(...buffer.subarray(Math.max(0, count - 5), count))).slice(-5);
    if (!counted && tail === "0\r\n\r\n") break;
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
