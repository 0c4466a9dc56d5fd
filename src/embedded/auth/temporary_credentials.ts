/** Temporary credentials: a certificate signed with the issuer's access token (spec 01 §12.1). */

import { createHmac, timingSafeEqual } from "node:crypto";
import { v4 as slugid } from "slugid";

/** As it travels in the Hawk header's `ext` and in the `certificate` of wire credentials. */
export interface Certificate {
  readonly version: 1;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly expiry: number;
  readonly seed: string;
  readonly signature: string;
  /** Present in named credentials: the client that signed. */
  readonly issuer?: string;
}

export interface IssueOptions {
  readonly issuer: { readonly clientId: string; readonly accessToken: string };
  /** Name of the new credentials; the issuer needs `auth:create-client:<clientId>`. */
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly startMs: number;
  readonly expiryMs: number;
}

/** The longest life a certificate may have. */
export const longestLifeMs = 31 * 24 * 60 * 60_000;

/** Makes named temporary credentials as the services send them. */
export function issueTemporaryCredentials(options: IssueOptions): {
  clientId: string;
  accessToken: string;
  certificate: string;
} {
  const { issuer, clientId } = options;
  const seed = slugid() + slugid();
  const unsigned = {
    version: 1 as const,
    scopes: options.scopes,
    start: Math.floor(options.startMs),
    expiry: Math.floor(options.expiryMs),
    seed,
    issuer: issuer.clientId,
  };
  const certificate = { ...unsigned, signature: signature(unsigned, clientId, issuer.accessToken) };
  return {
    clientId,
    accessToken: temporaryAccessToken(seed, issuer.accessToken),
    certificate: JSON.stringify(certificate),
  };
}

/** The key a holder of the certificate signs requests with. */
export function temporaryAccessToken(seed: string, issuerAccessToken: string): string {
  return createHmac("sha256", issuerAccessToken).update(seed).digest("base64url");
}

/** True when the certificate was signed with this access token for this client id. */
export function signedBy(certificate: Certificate, clientId: string, issuerAccessToken: string): boolean {
  const expected = new TextEncoder().encode(signature(certificate, clientId, issuerAccessToken));
  const given = new TextEncoder().encode(certificate.signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** Takes the certificate from parsed JSON. @returns undefined when it is not of the right shape */
export function parseCertificate(value: unknown): Certificate | undefined {
  if (value === null || typeof value !== "object") return undefined;
  const { version, scopes, start, expiry, seed, signature, issuer } = value as Record<string, unknown>;
  if (version !== 1 || typeof start !== "number" || typeof expiry !== "number") return undefined;
  if (typeof seed !== "string" || typeof signature !== "string") return undefined;
  if (issuer !== undefined && issuer !== null && typeof issuer !== "string") return undefined;
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) return undefined;
  return {
    version,
    scopes,
    start,
    expiry,
    seed,
    signature,
    ...(typeof issuer === "string" ? { issuer } : {}),
  };
}

function signature(
  certificate: Omit<Certificate, "signature">,
  clientId: string,
  issuerAccessToken: string,
): string {
  const { version, issuer, seed, start, expiry, scopes } = certificate;
  const names = issuer === undefined ? [] : [`clientId:${clientId}`, `issuer:${issuer}`];
  const lines = [
    `version:${version}`,
    ...names,
    `seed:${seed}`,
    `start:${start}`,
    `expiry:${expiry}`,
    "scopes:",
  ];
  return createHmac("sha256", issuerAccessToken).update([...lines, ...scopes].join("\n")).digest("base64");
}
