/** Calls handlers of an embedded service directly, holding every call and answer against the API reference. */

import { strict as assert } from "node:assert";
import { type ApiEntry, schemaId, serviceReferences } from "../../src/embedded/api_reference.ts";
import { SchemaValidator } from "../../src/embedded/schema_validator.ts";
import {
  placeholders,
  requiredScopes,
  satisfiesRequirement,
  type ScopeValues,
} from "../../src/embedded/scope_expression.ts";
import { ApiError, type EmbeddedService } from "../../src/embedded/service.ts";

export interface DriverCall {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string>>;
  body?: unknown;
  /** Scopes of the caller; default all. */
  scopes?: readonly string[];
}

/** What a caller sees of an answer. `body` is loosely typed, as JSON is: tests compare it as a whole. */
export interface DriverAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Stands for the server in front of one service. */
export class ServiceDriver {
  readonly #service: EmbeddedService;
  readonly #entries: readonly ApiEntry[];
  readonly #validator = new SchemaValidator();

  constructor(service: EmbeddedService) {
    this.#service = service;
    const reference = serviceReferences.find((known) => known.serviceName === service.service);
    assert.ok(reference, `the reference has a service ${service.service}`);
    this.#entries = reference.entries;
  }

  /** Entries of the reference that need a handler of the service. */
  entryNames(): string[] {
    const answeredByServer = new Set(["ping", "lbheartbeat", "heartbeat", "version"]);
    return this.#entries.map((entry) => entry.name).filter((name) => !answeredByServer.has(name));
  }

  /** @throws ApiError as the service does, or for insufficient scopes; AssertionError when the reference is broken */
  async call(name: string, call: DriverCall = {}): Promise<DriverAnswer> {
    const entry = this.#entry(name);
    const params = call.params ?? {};
    this.#checkCall(entry, call);
    const authorization = new Authorization(entry, params, call.scopes ?? ["*"]);
    authorization.beforeHandler();
    const handler = this.#service.handlers[name];
    assert.ok(handler, `${name} has a handler`);
    const answer = await handler({
      params,
      query: new URLSearchParams(call.query),
      body: structuredClone(call.body),
      caller: { clientId: "tester", scopes: call.scopes ?? ["*"] },
      signal: new AbortController().signal,
      authorize: (values) => authorization.check(values),
    });
    assert.ok(authorization.checked, `${name} checks scopes that depend on more than the URL`);
    const body = JSON.parse(JSON.stringify(answer.body ?? {}));
    if (answer.location === undefined) this.#checkOutput(entry, body);
    return { status: answer.status ?? 200, location: answer.location, body };
  }

  /** Status and code of the refusal that the call must meet. */
  async refusal(name: string, call: DriverCall = {}): Promise<string> {
    try {
      await this.call(name, call);
    } catch (error) {
      if (error instanceof ApiError) return `${error.status} ${error.code}`;
      throw error;
    }
    return assert.fail(`${name} was not refused`);
  }

  #entry(name: string): ApiEntry {
    const entry = this.#entries.find((candidate) => candidate.name === name);
    assert.ok(entry, `the reference has an entry ${name}`);
    return entry;
  }

  #checkCall(entry: ApiEntry, call: DriverCall): void {
    const routeNames = [...entry.route.matchAll(/<([^>]+)>/g)].map(([, name]) => name);
    assert.deepEqual(Object.keys(call.params ?? {}).sort(), routeNames.sort(), "parameters of the route");
    for (const key of Object.keys(call.query ?? {})) assert.ok(entry.query?.includes(key), `query ${key}`);
    if (!entry.input) return assert.equal(call.body, undefined, `${entry.name} takes no body`);
    const problems = this.#validator.problems(schemaId(this.#service.service, entry.input), call.body);
    if (problems !== undefined) throw new ApiError(400, "InputValidationError", problems);
  }

  #checkOutput(entry: ApiEntry, body: unknown): void {
    if (!entry.output) return assert.deepEqual(body, {}, `${entry.name} answers an empty object`);
    const untouched = structuredClone(body);
    const problems = this.#validator.problems(schemaId(this.#service.service, entry.output), body);
    assert.equal(problems, undefined, `answer of ${entry.name}: ${problems}`);
    assert.deepEqual(body, untouched, `answer of ${entry.name} leaves nothing to defaults`);
  }
}

/** The scope check of one call. */
class Authorization {
  readonly #entry: ApiEntry;
  readonly #params: ScopeValues;
  readonly #scopes: readonly string[];
  checked = false;

  constructor(entry: ApiEntry, params: ScopeValues, scopes: readonly string[]) {
    this.#entry = entry;
    this.#params = params;
    this.#scopes = scopes;
  }

  beforeHandler(): void {
    const expression = this.#entry.scopes;
    if (!expression) this.checked = true;
    else if (placeholders(expression).every((name) => name in this.#params)) this.check({});
  }

  check(values: ScopeValues): void {
    const expression = this.#entry.scopes;
    assert.ok(expression, `${this.#entry.name} has scopes to check`);
    this.checked = true;
    const required = requiredScopes(expression, { ...this.#params, ...values });
    if (satisfiesRequirement(this.#scopes, required)) return;
    throw new ApiError(403, "InsufficientScopes", `missing ${JSON.stringify(required)}`);
  }
}
