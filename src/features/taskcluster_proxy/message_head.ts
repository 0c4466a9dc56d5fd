/** Heads of HTTP/1.1 requests and answers: reading, the fields a proxy must not pass on, writing (RFC 9112). */

import { BrokenMessage, type ByteReader } from "./byte_reader.ts";

/** In the order of arrival, as spelled, repeated ones one after another. A character for a byte. */
export type Fields = readonly (readonly [name: string, value: string])[];

export interface RequestHead {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  readonly fields: Fields;
  /** The client knows chunks and persistent connections. */
  readonly modern: boolean;
}

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly modern: boolean;
}

const mostHeadBytes = 256 * 1024;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The next request; undefined when the client closed the connection instead. @throws BrokenMessage */
export async function readRequestHead(reader: ByteReader): Promise<RequestHead | undefined> {
  if (!await reader.ready()) return undefined;
  const line = await reader.line();
  const match = /^(\S+) (\S+) HTTP\/1\.([01])$/.exec(line);
  const [, method = "", target = "", minor] = match ?? [];
  if (!match || !token.test(method)) throw new BrokenMessage("The request line is not one of HTTP/1.1");
  return { method, target, fields: await readFields(reader), modern: minor === "1" };
}

/** The final answer; informational ones (1xx) are skipped. @throws BrokenMessage when there is none */
export async function readAnswerHead(reader: ByteReader): Promise<AnswerHead> {
  while (true) {
    const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(await reader.line());
    if (!match) throw new BrokenMessage("The answer is not one of HTTP/1.1");
    const [, minor, status, reason = ""] = match;
    const fields = await readFields(reader);
    if (Number(status) >= 200) return { status: Number(status), reason, fields, modern: minor === "1" };
  }
}

async function readFields(reader: ByteReader): Promise<Fields> {
  const fields: [string, string][] = [];
  let leftBytes = mostHeadBytes;
  while (true) {
    const line = await reader.line();
    if (line === "") return fields;
    leftBytes -= line.length;
    if (leftBytes < 0) throw new BrokenMessage("The header fields are too long", 431);
    const colon = line.indexOf(":");
    if (!token.test(line.slice(0, Math.max(colon, 0))) || /[\r\0]/.test(line)) {
      throw new BrokenMessage("A header field is malformed");
    }
    fields.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
}

/** All values of a field, in order. */
export function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}

/** Is `word` among the comma-separated words of the field? */
export function says(fields: Fields, { name, word }: { name: string; word: string }): boolean {
  return wordsOf(fields, name).includes(word);
}

function wordsOf(fields: Fields, name: string): string[] {
  return valuesOf(fields, name).join(",").split(",").map((word) => word.trim().toLowerCase());
}

/** Of one connection only, never to be passed on (RFC 9110 §7.6.1, weakness TP-9), or replaced by the sender. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "upgrade",
  "transfer-encoding",
  "content-length",
]);

/** The fields that go on to the other side; framing is up to whoever sends them. */
export function passedOn(fields: Fields): Fields {
  const named = new Set(wordsOf(fields, "connection"));
  return fields.filter(([name]) => {
    const lower = name.toLowerCase();
    return !hopByHop.has(lower) && !named.has(lower) && !lower.startsWith("proxy-");
  });
}

/** A first line and fields as bytes. @throws BrokenMessage for what would begin another line */
export function headBytes(firstLine: string, fields: Fields): Uint8Array {
  const lines = [firstLine, ...fields.map(([name, value]) => `${name}: ${value}`)];
  if (lines.some((line) => /[\r\n\0]/.test(line))) throw new BrokenMessage("A header field has a line break");
  return Uint8Array.from(lines.join("\r\n") + "\r\n\r\n", (char) => char.charCodeAt(0));
}
