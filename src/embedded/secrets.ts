/** The secrets service: JSON objects under a name, until they expire. */

import type { Clock } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { paginate, sortedBy } from "./pagination.ts";
import { bodyAs, param, timeMs } from "./request_parts.ts";
import { ApiError, type ApiRequest, type ApiResponse, type EmbeddedService } from "./service.ts";

/** One stored secret: the JSON text of its value, and when it ends (milliseconds since the epoch). */
export interface StoredSecret {
  readonly json: Secret;
  readonly expiresMs: number;
}

/** Secrets by name, expired ones included: asking for one of those is answered differently. */
export class SecretStore {
  readonly #secrets = new Map<string, StoredSecret>();

  set(name: string, value: Readonly<Record<string, unknown>>, options: { expiresMs: number }): void {
    this.#secrets.set(name, { json: new Secret(JSON.stringify(value)), expiresMs: options.expiresMs });
  }

  get(name: string): StoredSecret | undefined {
    return this.#secrets.get(name);
  }

  remove(name: string): void {
    this.#secrets.delete(name);
  }

  /** Names of the secrets that live at `nowMs`, sorted. */
  names(nowMs: number): string[] {
    const alive = [...this.#secrets].filter(([, secret]) => secret.expiresMs > nowMs);
    return sortedBy(alive.map(([name]) => name), (name) => name);
  }
}

export interface SecretsService extends EmbeddedService {
  /** The same state, for tests and for the parts of the same process. */
  readonly secrets: SecretStore;
}

/** The secrets service, holding nothing. */
export function createSecretsService({ clock }: { clock: Clock }): SecretsService {
  const secrets = new SecretStore();
  return {
    service: "secrets",
    secrets,
    handlers: {
      set: (request) => set(secrets, request),
      get: (request) => get(secrets, request, clock),
      remove: (request) => {
        secrets.remove(param(request, "name"));
        return {};
      },
      list: (request) => list(secrets, request, clock),
    },
  };
}

function set(secrets: SecretStore, request: ApiRequest): ApiResponse {
  const body = bodyAs<{ secret: Record<string, unknown>; expires: string }>(request);
  secrets.set(param(request, "name"), body.secret, { expiresMs: timeMs(body.expires, "expires") });
  return {};
}

function get(secrets: SecretStore, request: ApiRequest, clock: Clock): ApiResponse {
  const name = param(request, "name");
  const found = secrets.get(name);
  if (found === undefined) throw new ApiError(404, "ResourceNotFound", `Secret ${name} not found`);
  if (found.expiresMs <= clock.nowMs()) {
    const when = formatTimestamp(found.expiresMs);
    throw new ApiError(410, "ResourceExpired", `Secret ${name} expired at ${when}`);
  }
  return {
    body: { secret: JSON.parse(found.json.reveal()), expires: formatTimestamp(found.expiresMs) },
  };
}

function list(secrets: SecretStore, request: ApiRequest, clock: Clock): ApiResponse {
  const page = paginate(secrets.names(clock.nowMs()), { query: request.query, key: (name) => name });
  return { body: { secrets: page.items, ...page.more } };
}
