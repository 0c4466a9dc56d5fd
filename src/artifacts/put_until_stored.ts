/** Puts a body to a presigned address, again and again until the store has it. */

import { backoffPausesMs, retryForMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import { ArtifactError } from "./artifact_error.ts";
import { type Body, bodyLength } from "./body.ts";
import type { PutAnswer } from "./put.ts";
import { putBytes } from "./put_bytes.ts";
import { putStream } from "./put_stream.ts";

/** Where and how to put a body. */
export interface PutTarget {
  readonly url: string;
  /** Timestamp at which the address stops working. */
  readonly expires: string;
  /** All that belongs to the signature. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What all uploads need, wherever they go. */
export interface UploadOptions {
  /** Of the artifact. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Deployment's clock minus ours. */
  readonly clockSkewMs: () => number;
  readonly log: WorkerLog;
  readonly stallMs?: number;
  readonly caCerts?: readonly string[];
  readonly random?: () => number;
}

export interface PutUntilStoredOptions extends UploadOptions {
  /**
   * Gives an address, at first and again when the one at hand has expired (weakness W-14); undefined: nothing is
   * left to be sent.
   */
  readonly requestTarget: () => Promise<PutTarget | undefined>;
}

/** A store that says 400 this often means it. S3 also says so to connections it found idle (weakness W-14). */
const badRequestsTaken = 5;
const defaultStallMs = 5 * 60_000;
/** An address that is about to expire is not worth a try. */
const marginMs = 30_000;

/**
 * Sends the body, again and again until the store has it.
 *
 * @throws ArtifactError when the store refuses or 15 minutes after the first failure; what `requestTarget` or
 * reading the body throws; the signal's reason
 */
export async function putUntilStored(body: Body, options: PutUntilStoredOptions): Promise<void> {
  const { clock, name, log, signal } = options;
  const pauses = backoffPausesMs(options.random ? { random: options.random } : {});
  let target = await options.requestTarget();
  let failingSinceMs: number | undefined;
  let badRequests = 0;
  for (let attempts = 1; target; attempts++) {
    const outcome = await attempt(body, { target, options });
    log.info(`${attempts} put requests issued to ${withoutQuery(target.url)}`);
    log.info(outcome.text);
    if (outcome.succeeded) return;
    failingSinceMs ??= clock.monotonicMs();
    if (outcome.status === 400) badRequests++;
    const pauseMs = pauses.next().value;
    const tooLate = clock.monotonicMs() + pauseMs - failingSinceMs >= retryForMs;
    if (!outcome.temporary || tooLate || badRequests > badRequestsTaken) {
      throw new ArtifactError("unavailable", `${name}: ${outcome.text} (attempt ${attempts})`);
    }
    log.warn(`Uploading ${name}: ${outcome.text} (attempt ${attempts}, next in ${Math.round(pauseMs)} ms)`);
    await clock.sleep(pauseMs, signal);
    signal.throwIfAborted();
    if (isExpired(target, options)) target = await options.requestTarget();
  }
}

interface AttemptOutcome {
  readonly succeeded: boolean;
  readonly temporary: boolean;
  readonly status: number;
  readonly text: string;
}

async function attempt(
  body: Body,
  { target, options }: { target: PutTarget; options: UploadOptions },
): Promise<AttemptOutcome> {
  const { signal, stallMs = defaultStallMs, caCerts } = options;
  const { url, headers } = target;
  const request = { signal, stallMs, headers, ...(caCerts ? { caCerts } : {}) };
  const reading = new Reading(body);
  try {
    const answer = "bytes" in body
      ? await putBytes(url, { ...request, bytes: body.bytes })
      : await putStream(url, {
        ...request,
        lengthBytes: bodyLength(body),
        read: await reading.start(),
      });
    return judge(answer);
  } catch (error) {
    signal.throwIfAborted();
    if (reading.failure) throw reading.failure.error;
    if (error instanceof ArtifactError) throw error;
    const text = `No response: ${errorText(error)}`.replaceAll(url, withoutQuery(url));
    return { succeeded: false, temporary: true, status: 0, text };
  }
}

/** Reads a body and remembers what went wrong there: sending it again would not help. */
class Reading {
  readonly #body: Body;
  #failure: { readonly error: unknown } | undefined;

  constructor(body: Body) {
    this.#body = body;
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  async start(): Promise<() => Promise<Uint8Array | undefined>> {
    const body = this.#body;
    if ("bytes" in body) throw new TypeError("Bytes at hand need no reading");
    const read = await this.#noting(() => body.open());
    return () => this.#noting(read);
  }

  async #noting<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

function judge({ status, statusText, headers, body }: PutAnswer): AttemptOutcome {
  const dump = [...headers].map(([name, value]) => `${name}: ${value}`).join("; ");
  const text = [`Response ${status} ${statusText}`.trimEnd(), dump, body].filter((part) => part !== "").join(
    ": ",
  );
  const succeeded = status >= 200 && status < 300;
  return { succeeded, temporary: status >= 500 || status === 400 || status === 429, status, text };
}

function isExpired({ expires }: PutTarget, { clock, clockSkewMs }: UploadOptions): boolean {
  return Date.parse(expires) - marginMs <= clock.nowMs() + clockSkewMs();
}

/** The query is a signature, which is as good as a password. */
function withoutQuery(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}?<redacted>`;
}
