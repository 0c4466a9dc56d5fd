/** Finds out who makes a request: Hawk header or bewit, permanent or temporary credentials (spec 01 §12.1). */

import { server as hawk } from "hawk";
import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/error_text.ts";
import { scopesSatisfy } from "../../services/scopes.ts";
import type { Caller } from "../service.ts";
import type { Client, Directory } from "./directory.ts";
import {
  type Certificate,
  longestLifeMs,
  parseCertificate,
  signedBy,
  temporaryAccessToken,
} from "./temporary_credentials.ts";

/** What a signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly resource: string;
  readonly host: string;
  readonly port: number;
  readonly authorization?: string | undefined;
}

/** The outcome; `caller` also stands for clients that do not sign. */
export type Authentication =
  | { readonly status: "no-auth"; readonly caller: Caller }
  | {
    readonly status: "auth-success";
    readonly caller: Caller;
    readonly expiresMs: number;
    readonly hash?: string;
  }
  | { readonly status: "auth-failed"; readonly message: string };

/** Clocks may differ this much, seconds. */
const allowedSkewS = 15 * 60;
const allowedSkewMs = allowedSkewS * 1000;

/** What the key lookup found out about a signing client. */
interface Signer {
  readonly key: string;
  readonly algorithm: "sha256";
  readonly scopes: readonly string[];
  readonly expiresMs: number;
}

interface HawkResult {
  readonly credentials: Signer;
  readonly artifacts?: { readonly id: string; readonly hash?: string };
  readonly attributes?: { readonly id: string };
}

export interface AuthenticatorOptions {
  readonly clock: Clock;
  readonly directory: Directory;
}

/** Judges requests against the clients and roles of the directory. */
export class Authenticator {
  readonly #clock: Clock;
  readonly #directory: Directory;

  constructor(options: AuthenticatorOptions) {
    this.#clock = options.clock;
    this.#directory = options.directory;
  }

  /**
   * Never throws for what a client sent: a bad signature is an outcome.
   * @param options.skewMs added to the clock when the signature's time is judged: a fault
   */
  async authenticate(request: SignedRequest, options: { skewMs?: number } = {}): Promise<Authentication> {
    const bewit = /[?&]bewit=/.test(request.resource);
    if (request.authorization === undefined && !bewit) {
      return {
        status: "no-auth",
        caller: { clientId: "", scopes: this.#directory.expand(["assume:anonymous"]) },
      };
    }
    try {
      const { method, resource: url, host, port, authorization } = request;
      const time = {
        localtimeOffsetMsec: this.#clock.nowMs() + (options.skewMs ?? 0) - Date.now(),
        timestampSkewSec: allowedSkewS,
      };
      const signed = {
        method: method.toUpperCase(),
        url,
        host,
        port,
        ...(authorization ? { authorization } : {}),
      };
      const lookup = (id: string) => this.#signer(id, extensionOf(request));
      const result: HawkResult = bewit
        ? await hawk.authenticateBewit(signed, lookup, time)
        : await hawk.authenticate(signed, lookup, time);
      return this.#success(result);
    } catch (error) {
      return { status: "auth-failed", message: errorText(error) };
    }
  }

  #success({ credentials, artifacts, attributes }: HawkResult): Authentication {
    const clientId = artifacts?.id ?? attributes?.id ?? "";
    const scopes = this.#directory.expand([...credentials.scopes, "assume:anonymous"]);
    const { expiresMs } = credentials;
    const hash = artifacts?.hash;
    return { status: "auth-success", caller: { clientId, scopes }, expiresMs, ...(hash ? { hash } : {}) };
  }

  #signer(clientId: string, extension: Extension): Signer {
    const { certificate, authorizedScopes } = extension;
    const issuer = this.#client(certificate?.issuer ?? clientId);
    const held = this.#directory.expand(issuer.scopes);
    const granted = certificate ? this.#certified(certificate, { clientId, issuer, held }) : held;
    return {
      key: certificate ? temporaryAccessToken(certificate.seed, issuer.accessToken) : issuer.accessToken,
      algorithm: "sha256",
      scopes: authorizedScopes ? this.#restricted(authorizedScopes, granted) : granted,
      expiresMs: Math.min(certificate?.expiry ?? Infinity, issuer.expiresMs),
    };
  }

  #client(clientId: string): Client {
    const client = this.#directory.clients.get(clientId);
    if (client === undefined) throw new Error(`no such client: ${clientId}`);
    if (client.disabled) throw new Error(`client ${clientId} is disabled`);
    if (client.expiresMs <= this.#clock.nowMs()) throw new Error(`client ${clientId} has expired`);
    return client;
  }

  #certified(
    certificate: Certificate,
    { clientId, issuer, held }: { clientId: string; issuer: Client; held: readonly string[] },
  ): readonly string[] {
    const nowMs = this.#clock.nowMs();
    if (certificate.start > nowMs + allowedSkewMs) throw new Error("ext.certificate.start is in the future");
    if (certificate.expiry <= nowMs) throw new Error("ext.certificate.expiry is in the past");
    if (certificate.expiry - certificate.start > longestLifeMs) {
      throw new Error("ext.certificate is valid for more than 31 days");
    }
    if (certificate.issuer === clientId) {
      throw new Error("ext.certificate.issuer must differ from the client id");
    }
    if (certificate.issuer && !scopesSatisfy(held, [[`auth:create-client:${clientId}`]])) {
      throw new Error(`ext.certificate.issuer ${issuer.clientId} may not create the client id ${clientId}`);
    }
    if (!signedBy(certificate, clientId, issuer.accessToken)) {
      throw new Error("ext.certificate.signature is not valid, or wrong clientId provided");
    }
    const scopes = this.#directory.expand(certificate.scopes);
    if (scopesSatisfy(held, [scopes])) return scopes;
    throw new Error("ext.certificate gives scopes that its issuer does not have");
  }

  #restricted(authorized: readonly string[], held: readonly string[]): readonly string[] {
    const scopes = this.#directory.expand(authorized);
    if (scopesSatisfy(held, [scopes])) return scopes;
    throw new Error("ext.authorizedScopes oversteps your scopes");
  }
}

interface Extension {
  readonly certificate?: Certificate;
  readonly authorizedScopes?: readonly string[];
}

/** Reads `ext` of the header or of the bewit: base64 JSON. */
function extensionOf(request: SignedRequest): Extension {
  const text = /(?:^|[ ,])ext="([^"]*)"/.exec(request.authorization ?? "")?.[1] ??
    bewitExtension(request.resource);
  if (text === "") return {};
  const parsed = parsedJson(text);
  const wire = parsed["certificate"] ?? undefined;
  const certificate = parseCertificate(wire);
  if (wire !== undefined && certificate === undefined) throw new Error("ext.certificate is malformed");
  const authorizedScopes = parsed["authorizedScopes"];
  if (authorizedScopes !== undefined && !isStrings(authorizedScopes)) {
    throw new Error("ext.authorizedScopes is not a list of scopes");
  }
  return {
    ...(certificate ? { certificate } : {}),
    ...(authorizedScopes ? { authorizedScopes } : {}),
  };
}

function bewitExtension(resource: string): string {
  const bewit = /[?&]bewit=([^&]*)/.exec(resource)?.[1];
  if (bewit === undefined) return "";
  const plain = atob(decodeURIComponent(bewit).replaceAll("-", "+").replaceAll("_", "/"));
  return plain.split("\\")[3] ?? "";
}

function parsedJson(base64: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))),
    );
    if (value !== null && typeof value === "object") return value as Record<string, unknown>;
  } catch {
    // Told below, like JSON of another kind.
  }
  throw new Error("ext is not base64-encoded JSON");
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
