/** Turns HTTP requests into calls of handlers: routing, authentication, scopes, schemas, error answers. */

import type { Clock } from "../base/clock.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { errorText } from "../base/error_text.ts";
import { type ApiEntry, schemaId } from "./api_reference.ts";
import type { Authentication, Authenticator, SignedRequest } from "./auth/authenticator.ts";
import { type HttpAnswer, type HttpRequest, readBody } from "./http/message.ts";
import type { RouteMatch } from "./router.ts";
import type { SchemaValidator } from "./schema_validator.ts";
import {
  missingScopes,
  placeholders,
  type RequiredScope,
  requiredScopes,
  type ScopeValues,
} from "./scope_expression.ts";
import {
  ApiError,
  type ApiHandler,
  type ApiRequest,
  type ApiResponse,
  type Caller,
  type EmbeddedService,
} from "./service.ts";

export interface ApiOptions {
  readonly clock: Clock;
  readonly services: readonly EmbeddedService[];
  readonly authenticator: Authenticator;
  readonly validator: SchemaValidator;
  /** Checks answers too; a wrong one becomes a 500 and is told to `onBug`. */
  readonly validateAnswers: boolean;
  /** Told of mistakes of the services themselves. */
  readonly onBug: (message: string) => void;
}

/** An answer, and who asked. */
export interface ApiOutcome {
  readonly answer: HttpAnswer;
  readonly clientId: string;
}

const longestBodyBytes = 10 * 1024 * 1024;

/** Answers calls of all services. */
export class Api {
  readonly #options: ApiOptions;
  readonly #handlers = new Map<string, ApiHandler>();
  readonly #startedMs: number;

  constructor(options: ApiOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    for (const { service, handlers } of options.services) {
      for (const [name, handler] of Object.entries(handlers)) {
        this.#handlers.set(`${service}.${name}`, handler);
      }
    }
  }

  /** Never throws but for a lost connection: whatever goes wrong becomes an answer. */
  async answer(
    request: HttpRequest,
    match: RouteMatch,
    options: { skewMs?: number } = {},
  ): Promise<ApiOutcome> {
    const call = new Call(request, match);
    try {
      await call.readBody();
      const signed = signedRequest(request);
      call.authentication = await this.#options.authenticator.authenticate(signed, options);
      const response = await this.#perform(call, signed);
      return { answer: jsonAnswer(response), clientId: call.clientId };
    } catch (error) {
      return { answer: this.#errorAnswer(error, call), clientId: call.clientId };
    }
  }

  /** The answer for a path that is none. */
  notFound(request: HttpRequest): HttpAnswer {
    const error = new ApiError(
      404,
      "ResourceNotFound",
      `No service of this deployment answers ${request.target}`,
    );
    return errorAnswer(error, { method: request.method, params: {}, payload: {}, time: this.#now() });
  }

  async #perform(call: Call, signed: SignedRequest): Promise<ApiResponse> {
    const { service, entry } = call.match;
    checkQuery(entry, call.query);
    const required = placeholders(entry.scopes ?? { AllOf: [] });
    const known = required.every((name) => name in call.match.params);
    if (known) call.authorize({});
    this.#checkInput(call);
    const handler = this.#handlers.get(`${service}.${entry.name}`) ?? this.#commonHandler(call);
    const response = await handler(call.apiRequest(signed));
    if (!call.authorized) throw new Error(`${service}.${entry.name} answered without checking scopes`);
    this.#checkOutput(call, response);
    return response;
  }

  #checkInput(call: Call): void {
    const { service, entry } = call.match;
    if (!entry.input) return;
    if (call.body === undefined) {
      throw new ApiError(400, "MalformedPayload", "The request needs a body of type application/json");
    }
    const problems = this.#options.validator.problems(schemaId(service, entry.input), call.body);
    if (problems === undefined) return;
    throw new ApiError(
      400,
      "InputValidationError",
      `Schema Validation Failed for the body of ${service}.${entry.name}:\n\nRejecting Schema: ${
        schemaId(service, entry.input)
      }\nErrors:\n${problems}`,
    );
  }

  #checkOutput(call: Call, { status = 200, body }: ApiResponse): void {
    const { service, entry } = call.match;
    if (!this.#options.validateAnswers || !entry.output || status >= 400) return;
    // What goes over the wire is checked, and filled-in defaults must not reach it.
    const value: unknown = JSON.parse(JSON.stringify(body ?? {}));
    const problems = this.#options.validator.problems(schemaId(service, entry.output), value);
    if (problems !== undefined) {
      throw new Error(`${service}.${entry.name} gave an invalid answer:\n${problems}`);
    }
  }

  /** Entries that all services have, and a clear word about those that are left out here. */
  #commonHandler({ match: { service, entry } }: Call): ApiHandler {
    const uptime = Math.floor((this.#options.clock.monotonicMs() - this.#startedMs) / 1000);
    const bodies: Record<string, object> = {
      ping: { alive: true, uptime },
      version: { version: "embedded", commit: "", source: "", build: "" },
      heartbeat: {},
      lbheartbeat: {},
    };
    const body = bodies[entry.name];
    if (body) return () => ({ body });
    return () => {
      throw new ApiError(
        404,
        "ResourceNotFound",
        `${service}.${entry.name} is not part of the embedded Taskcluster; a real deployment has it`,
      );
    };
  }

  #errorAnswer(error: unknown, call: Call): HttpAnswer {
    const info = {
      method: call.match.entry.name,
      params: call.match.params,
      payload: call.body ?? {},
      time: this.#now(),
    };
    if (error instanceof ApiError) return errorAnswer(error, info);
    this.#options.onBug(errorText(error));
    return errorAnswer(new ApiError(500, "InternalServerError", `Internal error: ${errorText(error)}`), info);
  }

  #now(): string {
    return formatTimestamp(this.#options.clock.nowMs());
  }
}

/** One request on its way through the checks. */
class Call {
  readonly request: HttpRequest;
  readonly match: RouteMatch;
  readonly query: URLSearchParams;
  body: unknown;
  authentication: Authentication | undefined;
  authorized = false;

  constructor(request: HttpRequest, match: RouteMatch) {
    this.request = request;
    this.match = match;
    this.query = new URLSearchParams(request.target.split("?")[1] ?? "");
  }

  get clientId(): string {
    return this.authentication && "caller" in this.authentication ? this.authentication.caller.clientId : "";
  }

  /** @throws ApiError InputTooLarge, MalformedPayload */
  async readBody(): Promise<void> {
    const bytes = await readBody(this.request.body, longestBodyBytes);
    if (bytes === undefined) {
      throw new ApiError(413, "InputTooLarge", `The body is longer than ${longestBodyBytes} bytes`);
    }
    if (bytes.length === 0 || !this.match.entry.input) return;
    if (!/^application\/json\b/i.test(this.request.headers.get("content-type") ?? "")) {
      throw new ApiError(400, "MalformedPayload", "The body's Content-Type must be application/json");
    }
    try {
      this.body = JSON.parse(new TextDecoder().decode(bytes));
    } catch (error) {
      throw new ApiError(400, "MalformedPayload", `The body is not JSON: ${errorText(error)}`);
    }
  }

  /** @throws ApiError AuthenticationFailed, InsufficientScopes */
  authorize(values: ScopeValues): void {
    this.authorized = true;
    const { entry, params } = this.match;
    if (!entry.scopes) return;
    const caller = this.#caller();
    const missing = missingScopes(caller.scopes, requiredScopes(entry.scopes, { ...params, ...values }));
    if (missing !== undefined) throw new ApiError(403, "InsufficientScopes", scopesMessage(caller, missing));
  }

  apiRequest(signed: SignedRequest): ApiRequest {
    const { request } = this;
    return {
      params: this.match.params,
      query: this.query,
      body: this.body,
      caller: this.match.entry.scopes ? this.#caller() : { clientId: this.clientId, scopes: [] },
      get signal() {
        return request.signal;
      },
      authorize: (values) => this.authorize(values),
      signed,
    };
  }

  #caller(): Caller {
    const { authentication } = this;
    if (authentication === undefined) throw new Error("Cannot check scopes: the caller is not known yet");
    if (authentication.status !== "auth-failed") return authentication.caller;
    throw new ApiError(401, "AuthenticationFailed", authentication.message);
  }
}

function scopesMessage(caller: Caller, missing: RequiredScope): string {
  const who = caller.clientId === "" ? "Anonymous callers do" : `Client ID ${caller.clientId} does`;
  return `${who} not have sufficient scopes and ${
    caller.clientId === "" ? "are" : "is"
  } missing the following scopes:` +
    `\n\n\`\`\`\n${
      JSON.stringify(missing, null, 2)
    }\n\`\`\`\n\nThis request requires the client to satisfy them.`;
}

function checkQuery(entry: ApiEntry, query: URLSearchParams): void {
  const unknown = [...query.keys()].find((name) => name !== "bewit" && !entry.query?.includes(name));
  if (unknown === undefined) return;
  throw new ApiError(400, "InvalidRequestArguments", `Query-string parameter: ${unknown} is not supported!`);
}

/** What the signature of a request covers. */
function signedRequest(request: HttpRequest): SignedRequest {
  const [, host = "", port = "80"] = /^(.*?)(?::(\d+))?$/.exec(request.headers.get("host") ?? "") ?? [];
  const { method, target: resource } = request;
  return { method, resource, host, port: Number(port), authorization: request.headers.get("authorization") };
}

function jsonAnswer({ status = 200, body = {}, location }: ApiResponse): HttpAnswer {
  return {
    status,
    headers: {
      ...corsHeaders,
      "content-type": "application/json; charset=utf-8",
      ...(location ? { location } : {}),
    },
    body: new TextEncoder().encode(JSON.stringify(body)),
  };
}

interface RequestInfo {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly payload: unknown;
  readonly time: string;
}

/** The body real services give with every refusal. */
export function errorAnswer({ status, code, message }: ApiError, requestInfo: RequestInfo): HttpAnswer {
  const facts = [
    `* method:     ${requestInfo.method}`,
    `* errorCode:  ${code}`,
    `* statusCode: ${status}`,
    `* time:       ${requestInfo.time}`,
  ];
  return jsonAnswer({
    status,
    body: { code, message: `${message}\n\n---\n\n${facts.join("\n")}`, requestInfo },
  });
}

/** Browsers may call the services from any page. */
export const corsHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "OPTIONS,GET,HEAD,POST,PUT,DELETE,TRACE,CONNECT",
  "access-control-allow-headers": "X-Requested-With,Content-Type,Authorization,Accept,Origin,Cache-Control",
  "access-control-max-age": "900",
};
