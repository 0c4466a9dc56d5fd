/** How one service of the embedded Taskcluster is written: a handler per entry of its API reference. */

import type { SignedRequest } from "./auth/authenticator.ts";

/** Who makes the call, after authentication. */
export interface Caller {
  readonly clientId: string;
  /** Expanded scopes the call may use. */
  readonly scopes: readonly string[];
}

/** One request that passed authentication and input validation. */
export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed and validated body; undefined where the entry takes none. */
  readonly body: unknown;
  readonly caller: Caller;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /**
   * Checks the entry's scope expression with these further values, for entries whose scopes depend on more than
   * the URL. Entries that need only URL parameters are checked before the handler runs.
   * @throws ApiError InsufficientScopes
   */
  authorize(values: Readonly<Record<string, string | readonly string[]>>): void;
  /** What a signature of this very request would cover, for the auth service's test entries. */
  readonly signed?: SignedRequest;
}

/** An answer: a JSON body (undefined: an empty object), or a redirect. */
export type ApiResponse = { readonly status?: number; readonly body?: unknown; readonly location?: string };

export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse> | ApiResponse;

/** Handlers by the entry names of `references/<service>/v1/api.json`. */
export interface EmbeddedService {
  readonly service: string;
  readonly handlers: Readonly<Record<string, ApiHandler>>;
}

/** A refusal as real services word it: `{code, message, requestInfo}`. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
