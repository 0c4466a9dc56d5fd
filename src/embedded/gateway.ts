/** The one HTTP door of the embedded Taskcluster: sorts requests, lets faults happen, writes down what was asked. */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { type Api, type ApiOutcome, corsHeaders, errorAnswer } from "./api.ts";
import { type CallFaults, type FaultSchedule, type FaultyCall } from "./faults.ts";
import {
  type ByteStream,
  ConnectionLost,
  type HttpAnswer,
  type HttpRequest,
  noAnswer,
} from "./http/message.ts";
import type { RequestLog } from "./request_log.ts";
import type { RouteMatch, Router } from "./router.ts";
import { ApiError } from "./service.ts";
import type { ArtifactStore } from "./store.ts";

/** Path below which the artifact store answers. */
export const storePath = "/artifact-store";

export interface GatewayOptions {
  readonly clock: Clock;
  readonly router: Router;
  readonly api: Api;
  readonly store: ArtifactStore;
  readonly faults: FaultSchedule;
  readonly requests: RequestLog;
  readonly onBug: (message: string) => void;
}

/** A call, and how to perform it. */
interface Destination extends FaultyCall {
  perform(faults: CallFaults): Promise<ApiOutcome>;
}

/** Answers everything that comes in. */
export class Gateway {
  readonly #options: GatewayOptions;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Throws ConnectionLost only. */
  async answer(request: HttpRequest): Promise<HttpAnswer | typeof noAnswer> {
    const arrivedMs = this.#options.clock.nowMs();
    const destination = this.#destination(request);
    const { service, entry, method, path } = destination;
    const faults = this.#options.faults.meet(destination);
    const { answer, clientId } = await this.#faulty(request, destination, faults);
    const status = answer === noAnswer ? undefined : answer.status;
    this.#options.requests.add({ service, entry, method, path, status, clientId, arrivedMs });
    return answer;
  }

  async #faulty(
    request: HttpRequest,
    destination: Destination,
    faults: CallFaults,
  ): Promise<{ answer: HttpAnswer | typeof noAnswer; clientId: string }> {
    const { clock } = this.#options;
    if (faults.delayMs > 0) await clock.sleep(faults.delayMs, request.signal);
    if (faults.refusal) return { answer: this.#refusal(faults.refusal, destination), clientId: "" };
    const { answer, clientId } = await this.#performed(destination, faults);
    if (faults.lostAnswer) return { answer: noAnswer, clientId };
    return { answer: spoilt(answer, faults, clock.nowMs()), clientId };
  }

  async #performed(destination: Destination, faults: CallFaults): Promise<ApiOutcome> {
    try {
      return await destination.perform(faults);
    } catch (error) {
      if (isBrokenConnection(error)) throw error;
      this.#options.onBug(errorText(error));
      return { answer: { status: 500 }, clientId: "" };
    }
  }

  #destination(request: HttpRequest): Destination {
    const { method, target } = request;
    const [path = ""] = target.split("?", 1);
    if (method === "OPTIONS") return { ...this.#fixed({ status: 200, headers: corsHeaders }), method, path };
    if (path.startsWith(`${storePath}/`)) return this.#storeDestination(request, path);
    try {
      const match = this.#options.router.match(method, path);
      if (match) return this.#apiDestination(request, { path, match });
      return { ...this.#fixed(this.#options.api.notFound(request)), method, path };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { ...this.#fixed(errorAnswer(error, this.#requestInfo(method))), method, path };
    }
  }

  #storeDestination(request: HttpRequest, path: string): Destination {
    const { method, target } = request;
    return {
      service: "store",
      entry: method.toLowerCase(),
      method,
      path,
      perform: async ({ bytesPerSecond }) => {
        const transfer = bytesPerSecond === undefined ? {} : { bytesPerSecond };
        const answer = await this.#options.store.answer(request, target.slice(storePath.length), transfer);
        return { answer: { ...answer, headers: { ...corsHeaders, ...answer.headers } }, clientId: "" };
      },
    };
  }

  #apiDestination(request: HttpRequest, { path, match }: { path: string; match: RouteMatch }): Destination {
    return {
      service: match.service,
      entry: match.entry.name,
      method: request.method,
      path,
      perform: ({ skewMs }) => this.#options.api.answer(request, match, { skewMs }),
    };
  }

  #fixed(answer: HttpAnswer): Pick<Destination, "service" | "entry" | "perform"> {
    return { service: "", entry: "", perform: () => Promise.resolve({ answer, clientId: "" }) };
  }

  #refusal(
    effect: NonNullable<CallFaults["refusal"]>,
    { entry }: FaultyCall,
  ): HttpAnswer | typeof noAnswer {
    if (effect.kind === "reset") return noAnswer;
    const info = this.#requestInfo(entry);
    if (effect.kind === "expiredCredentials") {
      return errorAnswer(
        new ApiError(401, "AuthenticationFailed", "ext.certificate.expiry is in the past"),
        info,
      );
    }
    const code = effect.status === 429 ? "TooManyRequests" : "InternalServerError";
    const answer = errorAnswer(new ApiError(effect.status, code, "This failure was asked for"), info);
    if (effect.retryAfter === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, "retry-after": effect.retryAfter } };
  }

  #requestInfo(method: string) {
    return { method, params: {}, payload: {}, time: formatTimestamp(this.#options.clock.nowMs()) };
  }
}

/** Moves the date, cuts the body. */
function spoilt(answer: HttpAnswer, faults: CallFaults, nowMs: number): HttpAnswer {
  let spoilt = answer;
  if (faults.skewMs !== 0) {
    spoilt = {
      ...spoilt,
      headers: { ...spoilt.headers, date: new Date(nowMs + faults.skewMs).toUTCString() },
    };
  }
  const { body } = spoilt;
  if (faults.truncateAfterBytes === undefined || body === undefined) return spoilt;
  return { ...spoilt, body: truncated(body, faults.truncateAfterBytes) };
}

function truncated(body: NonNullable<HttpAnswer["body"]>, afterBytes: number): ByteStream {
  async function* whole(bytes: Uint8Array) {
    yield bytes;
  }
  async function* cut(chunks: AsyncIterable<Uint8Array>) {
    let leftBytes = afterBytes;
    for await (const chunk of chunks) {
      yield chunk.subarray(0, leftBytes);
      leftBytes -= chunk.length;
      if (leftBytes <= 0) return;
    }
  }
  const stream = body instanceof Uint8Array ? { lengthBytes: body.length, chunks: whole(body) } : body;
  return { lengthBytes: stream.lengthBytes, chunks: cut(stream.chunks) };
}

function isBrokenConnection(error: unknown): boolean {
  return error instanceof ConnectionLost || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.BrokenPipe;
}
