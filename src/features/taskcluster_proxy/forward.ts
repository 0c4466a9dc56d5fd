/** Sends a request on to a service, signed, until there is an answer worth passing back (spec 04 §7.4). */

import { backoffPausesMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import {
  type AnswerHead,
  headBytes,
  passedOn,
  readAnswerHead,
  type RequestHead,
  says,
} from "./message_head.ts";
import { answerFraming, BodyReader, type Framing, writeAll, writeBody } from "./message_body.ts";
import { ClientGone, type RequestBody } from "./request_body.ts";
import { authorization, type Signer, UnusableCredentials } from "./signature.ts";
import { close, type UpstreamConnection, type UpstreamConnections } from "./upstream_connections.ts";
import type { UpstreamTarget } from "./upstream_target.ts";

export interface ForwardOptions {
  readonly connections: UpstreamConnections;
  readonly clock: Clock;
  /** Of the deployment: its clock minus ours, milliseconds. */
  readonly clockSkewMs: () => number;
  /** Asked anew for each attempt, so that nothing waits for a reclaim and no attempt has old credentials (TP-3). */
  readonly signer: () => Signer;
  /** No new attempt once this much time has passed since the first one (weakness TP-4). */
  readonly retryForMs: number;
}

export interface ForwardedRequest {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly target: UpstreamTarget;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/** What a service said, its body still to be read. */
export interface UpstreamAnswer {
  readonly head: AnswerHead;
  readonly body: BodyReader;
  /** Was the whole request sent before? Else its rest must not be. */
  readonly sent: boolean;
  /** Done with it: the connection is used again where nothing is left on it. */
  release(): void;
}

/**
 * Tries again after errors of the network and answers from 500 on, as long as the request is kept; the last answer
 * counts, whatever it is.
 *
 * @throws the last attempt's error when there was no answer; UnusableCredentials; ClientGone; the signal's reason
 */
export async function forward(request: ForwardedRequest, options: ForwardOptions): Promise<UpstreamAnswer> {
  const { clock, retryForMs } = options;
  const startedMs = clock.monotonicMs();
  const pauses = backoffPausesMs();
  while (true) {
    const result = await attempt(request, options);
    const pauseMs = pauses.next().value;
    const tooLate = clock.monotonicMs() - startedMs + pauseMs >= retryForMs;
    const final = tooLate || request.body.kept === undefined;
    if ("error" in result) {
      if (final) throw result.error;
    } else {
      if (final || result.answer.head.status < 500) return result.answer;
      result.answer.release();
    }
    await clock.sleep(pauseMs, request.signal);
    request.signal.throwIfAborted();
  }
}

type Attempt = { readonly answer: UpstreamAnswer } | { readonly error: unknown };

async function attempt(request: ForwardedRequest, options: ForwardOptions): Promise<Attempt> {
  const { target, signal, body } = request;
  try {
    // What can't be sent again must not meet a connection that the service has closed.
    const taken = await options.connections.take(target, { fresh: body.kept === undefined, signal });
    try {
      return { answer: await exchange(request, { connection: taken, options }) };
    } catch (error) {
      if (!taken.used || taken.reader.bufferedBytes > 0 || isFinal(error, signal)) throw error;
    }
    const fresh = await options.connections.take(target, { fresh: true, signal });
    return { answer: await exchange(request, { connection: fresh, options }) };
  } catch (error) {
    signal.throwIfAborted();
    if (isFinal(error, signal)) throw error;
    return { error };
  }
}

function isFinal(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || error instanceof ClientGone || error instanceof UnusableCredentials;
}

interface Exchange {
  readonly connection: UpstreamConnection;
  readonly options: ForwardOptions;
}

async function exchange(
  request: ForwardedRequest,
  { connection, options }: Exchange,
): Promise<UpstreamAnswer> {
  const { signal } = request;
  const { conn, reader } = connection;
  const onAbort = () => close(conn);
  signal.addEventListener("abort", onAbort, { once: true });
  let usable = false;
  try {
    const opening = signedHead(request, options);
    const sending = { done: false };
    const sent = send(conn, { opening, body: request.body }).then(() => void (sending.done = true));
    const answered = readAnswerHead(reader);
    const head = await headOf(sent, answered);
    const body = new BodyReader(reader, answerFraming(head, request.head.method));
    usable = true;
    const release = () => {
      signal.removeEventListener("abort", onAbort);
      const reusable = sending.done && body.consumed && staysOpen(head, body);
      if (reusable) options.connections.giveBack(connection);
      else close(conn);
    };
    return { head, body, sent: sending.done, release };
  } finally {
    if (!usable) {
      signal.removeEventListener("abort", onAbort);
      close(conn);
    }
  }
}

/** A service that refuses may answer, and even hang up, before it has read everything. */
async function headOf(sent: Promise<void>, answered: Promise<AnswerHead>): Promise<AnswerHead> {
  answered.catch(() => {});
  try {
    await Promise.race([sent, answered]);
  } catch (error) {
    if (error instanceof ClientGone) throw error;
    return await answered.catch(() => {
      throw error;
    });
  }
  sent.catch(() => {});
  return await answered;
}

function staysOpen({ modern, fields }: AnswerHead, { framing }: BodyReader): boolean {
  return modern && framing.kind !== "until-close" && !says(fields, { name: "connection", word: "close" });
}

async function send(
  conn: Deno.Conn,
  { opening, body }: { opening: Uint8Array; body: RequestBody },
): Promise<void> {
  if (body.kept) return await writeAll(conn, joined(opening, body.kept));
  await writeAll(conn, opening);
  await writeBody(conn, { pieces: body.pieces(), chunked: body.framing.kind === "chunked" });
}

function signedHead({ head, body, target }: ForwardedRequest, options: ForwardOptions): Uint8Array {
  const { method, fields } = head;
  const timestamp = Math.floor((options.clock.nowMs() + options.clockSkewMs()) / 1000);
  const replaced = new Set(["host", "authorization", "expect"]);
  return headBytes(`${method} ${target.resource} HTTP/1.1`, [
    ["Host", target.host],
    ...passedOn(fields).filter(([name]) => !replaced.has(name.toLowerCase())),
    ["Authorization", authorization(options.signer(), { method, target, timestamp })],
    ...framingFields(body.framing, method),
  ]);
}

/** Methods whose requests have a body say so even when it is empty (RFC 9110 §8.6). */
function framingFields(framing: Framing, method: string): [string, string][] {
  if (framing.kind === "length") return [["Content-Length", String(framing.sizeBytes)]];
  if (framing.kind === "chunked") return [["Transfer-Encoding", "chunked"]];
  return ["POST", "PUT", "PATCH"].includes(method) ? [["Content-Length", "0"]] : [];
}

/** One packet instead of two. */
function joined(head: Uint8Array, body: Uint8Array): Uint8Array {
  if (body.length === 0) return head;
  const both = new Uint8Array(head.length + body.length);
  both.set(head);
  both.set(body, head.length);
  return both;
}
