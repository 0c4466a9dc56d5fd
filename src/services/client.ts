/**
 * Calls of Taskcluster services: URL, Hawk signature, retries (spec 01 §12).
 *
 * `hawk` signs and `fetch` sends. The stock client costs five times the CPU a call and 60 MB of memory more,
 * and its long polls cannot be aborted.
 */

import { client as hawk } from "hawk";
import { backoffPausesMs, retryForMs as defaultRetryForMs } from "../base/backoff.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { errorChainText } from "../base/error_text.ts";
import { LinkedSignal } from "../base/linked_signal.ts";
import type { Credentials, CredentialsSource } from "./credentials.ts";
import { ServiceError } from "./errors.ts";

export interface ServiceClientOptions {
  readonly rootUrl: string;
  readonly clock?: Clock;
  /** Told once for every failed attempt that will be repeated. */
  readonly onRetry?: (message: string) => void;
  /** Longest time one attempt may take without any answer. Default 60 s, enough for a 20 s long poll. */
  readonly attemptTimeoutMs?: number;
  readonly random?: () => number;
}

export interface ServiceCall {
  readonly service: string;
  /** Name in the API reference, for messages. */
  readonly name: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path segments after `/api/<service>/v1/`; each is encoded as one segment. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Asked anew for each attempt when it is a function. Absent: an unauthenticated call. */
  readonly credentials?: CredentialsSource;
  readonly authorizedScopes?: readonly string[];
  readonly signal?: AbortSignal;
  readonly retryForMs?: number;
}

/** Services refuse signatures that are a minute off; less than half of that is not what a refusal is about. */
const toleratedSkewMs = 30_000;

/** Sends calls to one deployment. Learns the difference between its clock and ours from the answers. */
export class ServiceClient {
  readonly #options: ServiceClientOptions;
  readonly #clock: Clock;
  #skewMs = 0;

  constructor(options: ServiceClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Deployment's clock minus ours, from the last answer's `Date`; accurate to about a second. */
  get clockSkewMs(): number {
    return this.#skewMs;
  }

  /**
   * Makes one call, with retries on network errors, 5xx and 429.
   *
   * @returns the parsed answer; undefined for an empty one
   * @throws ServiceError when the service refuses or stays out of reach; the signal's reason when aborted
   */
  async call<T>(call: ServiceCall): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    const pauses = backoffPausesMs(this.#options.random ? { random: this.#options.random } : {});
    for (let attempts = 1;; attempts++) {
      call.signal?.throwIfAborted();
      const failure = await this.#attempt(call, attempts);
      if (!(failure instanceof FailedAttempt)) return failure as T;
      const pauseMs = Math.max(pauses.next().value, failure.retryAfterMs);
      const elapsedMs = this.#clock.monotonicMs() - startedMs;
      const tooLate = elapsedMs + pauseMs >= (call.retryForMs ?? defaultRetryForMs);
      if (!failure.temporary || tooLate) throw failure.error;
      this.#options.onRetry?.(
        `Error: ${failure.error.message} (attempt ${attempts}, next in ${Math.round(pauseMs)} ms)`,
      );
      await this.#clock.sleep(pauseMs, call.signal);
    }
  }

  async #attempt(call: ServiceCall, attempts: number): Promise<unknown | FailedAttempt> {
    const name = `${call.service}.${call.name}`;
    using linked = new LinkedSignal([call.signal], { timeoutMs: this.#options.attemptTimeoutMs ?? 60_000 });
    try {
      const signedWithSkewMs = this.#skewMs;
      const request = { ...this.#request(call), signal: linked.signal, redirect: "manual" } as const;
      const response = await fetch(this.#url(call), request);
      this.#learnSkew(response);
      const text = await response.text();
      if (response.status < 400) return parseAnswer(text);
      const wrongTime = Math.abs(this.#skewMs - signedWithSkewMs) > toleratedSkewMs;
      return refused(name, response, { body: text, attempts, wrongTime });
    } catch (cause) {
      call.signal?.throwIfAborted();
      const explanation = linked.timedOut ? "the service did not answer in time" : errorChainText(cause);
      return new FailedAttempt(
        new ServiceError({ call: name, status: 0, explanation, attempts, cause }),
        true,
      );
    }
  }

  #url(call: ServiceCall): string {
    const root = this.#options.rootUrl.replace(/\/+$/, "");
    const path = call.path.map(encodeURIComponent).join("/");
    const query = call.query ? `?${new URLSearchParams(call.query)}` : "";
    return `${root}/api/${call.service}/v1/${path}${query}`;
  }

  #request(call: ServiceCall): RequestInit {
    const headers: Record<string, string> = {};
    const credentials = typeof call.credentials === "function" ? call.credentials() : call.credentials;
    if (credentials) headers["authorization"] = this.#authorization(call, credentials);
    if (call.body === undefined) return { method: call.method, headers };
    headers["content-type"] = "application/json";
    return { method: call.method, headers, body: JSON.stringify(call.body) };
  }

  /** Hawk, re-signed for every attempt, without payload hash (spec 01 §12.1). */
  #authorization(call: ServiceCall, credentials: Credentials): string {
    const ext = hawkExtension(credentials, call.authorizedScopes);
    const { header } = hawk.header(this.#url(call), call.method, {
      credentials: { id: credentials.clientId, key: credentials.accessToken.reveal(), algorithm: "sha256" },
      timestamp: Math.floor((this.#clock.nowMs() + this.#skewMs) / 1000),
      ...(ext === undefined ? {} : { ext }),
    });
    return header;
  }

  #learnSkew(response: Response): void {
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) this.#skewMs = skewFrom(date, this.#clock.nowMs());
  }
}

/** Whole-second dates say nothing about less than two seconds of difference. */
function skewFrom(serverMs: number, nowMs: number): number {
  const differenceMs = serverMs + 500 - nowMs;
  return Math.abs(differenceMs) < 2_000 ? 0 : differenceMs;
}

/** The `ext` field: base64 JSON with certificate and authorized scopes, or undefined when there is neither. */
export function hawkExtension(
  credentials: Credentials,
  authorizedScopes?: readonly string[],
): string | undefined {
  if (!credentials.certificate && !authorizedScopes) return undefined;
  const ext = {
    ...(credentials.certificate ? { certificate: JSON.parse(credentials.certificate.reveal()) } : {}),
    ...(authorizedScopes ? { authorizedScopes } : {}),
  };
  return btoa(JSON.stringify(ext));
}

class FailedAttempt {
  readonly error: ServiceError;
  readonly temporary: boolean;
  readonly retryAfterMs: number;

  constructor(error: ServiceError, temporary: boolean, retryAfterMs = 0) {
    this.error = error;
    this.temporary = temporary;
    this.retryAfterMs = retryAfterMs;
  }
}

function parseAnswer(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}

interface Refusal {
  readonly body: string;
  readonly attempts: number;
  /** The signature had the time of a clock that turns out to be wrong. */
  readonly wrongTime: boolean;
}

function refused(call: string, response: Response, { body, attempts, wrongTime }: Refusal): FailedAttempt {
  const { code, message } = serviceMessage(body);
  const error = new ServiceError({
    call,
    status: response.status,
    explanation: firstLine(message ?? response.statusText),
    body,
    attempts,
    ...(code === undefined ? {} : { code }),
  });
  const { status } = response;
  const temporary = status >= 500 || status === 429 || (status === 401 && wrongTime);
  return new FailedAttempt(error, temporary, retryAfterMs(response));
}

function serviceMessage(body: string): { code?: string; message?: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed === null || typeof parsed !== "object") return {};
    const { code, message } = parsed as Record<string, unknown>;
    return {
      ...(typeof code === "string" ? { code } : {}),
      ...(typeof message === "string" ? { message } : {}),
    };
  } catch {
    return {};
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

/** `Retry-After` in seconds or as a date (weakness K35); 0 when absent. */
function retryAfterMs(response: Response): number {
  const value = response.headers.get("retry-after");
  if (value === null) return 0;
  const seconds = Number(value);
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(waitMs, 0) : 0;
}
