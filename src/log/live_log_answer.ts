/**
 * What a live log answers to a request (spec 04 §2.3), without sending it: status, headers, and which part of the log.
 *
 * Beyond the specification, ranges work while the log grows: one without an end, or with an end not yet written,
 * goes on with the log (RFC 8673), so that a reader who lost the connection continues where it was.
 */

import type { LiveLogRequest } from "./live_log_request.ts";

/** What is known of the log at the moment of the request. */
export interface LogState {
  readonly sizeBytes: number;
  /** Nothing will be added. */
  readonly ended: boolean;
}

/** A part of the log, which may have to be waited for. */
export interface LogPart {
  /** First byte, or how many of the last lines there are now come first. */
  readonly from: number | { readonly lastLines: number };
  /** The byte after the last; Infinity: as far as the log goes. */
  readonly toBytes: number;
}

export interface LiveLogAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A short text, or a part of the log. Absent: nothing. */
  readonly body?: string | LogPart;
  /** Bytes of a body that is part of a log, where they are all there; else it is sent in chunks. */
  readonly lengthBytes?: number;
}

export interface LiveLogAddress {
  /** Is this the token of the log? Takes the same time whatever is wrong with it. */
  readonly isToken: (text: string) => boolean;
  /** Names the log, not its length: what was read under it stays true. */
  readonly etag: string;
}

const prefix = "/log/";
const methods = "GET, HEAD, OPTIONS";
/** The last position a JavaScript client can name; says "for ever" in ranges (RFC 8673 §2.1). */
const foreverBytes = Number.MAX_SAFE_INTEGER;

/** Any origin: readers come through a redirect, hence without one. */
const openToAll = { "Access-Control-Allow-Origin": "*" };
const text = { "Content-Type": "text/plain; charset=utf-8", ...openToAll };
const logHeaders = { ...text, "Access-Control-Expose-Headers": "Transfer-Encoding" };

/** Decides on the answer. HEAD gets the same as GET; leaving out the body is up to the sender. */
export function answerTo(
  request: LiveLogRequest,
  { address, state }: { address: LiveLogAddress; state: LogState },
): LiveLogAnswer {
  const { method, target } = request;
  if (target === "/log") return { status: 301, headers: { ...text, Location: prefix }, body: "" };
  if (!target.startsWith(prefix)) return { status: 404, headers: text, body: "Not found\n" };
  if (method === "OPTIONS") return preflight;
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, headers: { ...text, Allow: methods }, body: "Method not allowed\n" };
  }
  const [, token = "", lines] = /^(.*?)(?:\?tail=([^?]*))?$/.exec(target.slice(prefix.length)) ?? [];
  if (!address.isToken(token)) return { status: 401, headers: text, body: "Access denied\n" };
  if (lines !== undefined) return lastLines(lines);
  return wholeOrRange(request.headers, { etag: address.etag, state });
}

/** Weakness LL-7. */
const preflight: LiveLogAnswer = {
  status: 204,
  headers: {
    ...openToAll,
    "Access-Control-Allow-Methods": methods,
    "Access-Control-Allow-Headers": "Range, If-Range",
    "Access-Control-Max-Age": "86400",
  },
};

function lastLines(text_: string): LiveLogAnswer {
  if (!/^\d{1,9}$/.test(text_)) {
    return { status: 400, headers: text, body: "tail must be a number of lines\n" };
  }
  return {
    status: 200,
    headers: logHeaders,
    body: { from: { lastLines: Number(text_) }, toBytes: Infinity },
  };
}

function wholeOrRange(
  headers: ReadonlyMap<string, string>,
  { etag, state }: { etag: string; state: LogState },
): LiveLogAnswer {
  const resumable = { ...logHeaders, "Accept-Ranges": "bytes", ETag: etag };
  const ifRange = headers.get("if-range");
  const wanted = ifRange === undefined || ifRange === etag ? parseRange(headers.get("range")) : undefined;
  if (!wanted) return { ...partOf({ from: 0, toBytes: Infinity }, state), status: 200, headers: resumable };
  const range = present(wanted, state);
  const size = state.ended ? String(state.sizeBytes) : "*";
  if (!range) {
    const contentRange = { "Content-Range": `bytes */${state.sizeBytes}` };
    return { status: 416, headers: { ...resumable, ...contentRange }, body: "" };
  }
  const lastByte = range.toBytes === Infinity ? foreverBytes : range.toBytes - 1;
  return {
    ...partOf(range, state),
    status: 206,
    headers: {
      ...resumable,
      "Access-Control-Expose-Headers": "Transfer-Encoding, Accept-Ranges, Content-Range, ETag",
      "Content-Range": `bytes ${range.from}-${lastByte}/${size}`,
    },
  };
}

interface Range {
  readonly from: number;
  readonly toBytes: number;
}

/** With its length, when that is certain already. */
function partOf({ from, toBytes }: Range, { sizeBytes, ended }: LogState) {
  const endBytes = ended ? Math.min(toBytes, sizeBytes) : toBytes;
  const isThere = endBytes <= sizeBytes;
  return { body: { from, toBytes: endBytes }, ...(isThere ? { lengthBytes: endBytes - from } : {}) };
}

type WantedRange = Range | { readonly lastBytes: number };

/** One range; several, or what is none, are ignored as RFC 9110 §14.2 allows. */
function parseRange(header: string | undefined): WantedRange | undefined {
  const [, first = "", last = ""] = /^bytes=(\d{0,20})-(\d{0,20})$/.exec(header ?? "") ?? [];
  if (first === "") return last === "" ? undefined : { lastBytes: Number(last) };
  const from = Number(first);
  if (last === "") return { from, toBytes: Infinity };
  if (Number(last) < from) return undefined;
  return { from, toBytes: Number(last) >= foreverBytes ? Infinity : Number(last) + 1 };
}

/** The range in a log as it is now; undefined when it can't be had. */
function present(wanted: WantedRange, { sizeBytes, ended }: LogState): Range | undefined {
  const range = "lastBytes" in wanted
    ? { from: Math.max(0, sizeBytes - wanted.lastBytes), toBytes: Infinity }
    : wanted;
  if ("lastBytes" in wanted && wanted.lastBytes === 0) return undefined;
  if (!ended) return range.from <= sizeBytes ? range : undefined;
  return range.from < sizeBytes ? { ...range, toBytes: Math.min(range.toBytes, sizeBytes) } : undefined;
}
