/** Signs requests and addresses with a task's credentials (Hawk, spec 04 §7.5, §7.8). */

import { Buffer } from "node:buffer";
import { crypto } from "hawk";
import type { Credentials } from "../../services/credentials.ts";
import { hawkExtension } from "../../services/client.ts";
import type { UpstreamTarget } from "./upstream_target.ts";

/** Whose signature, and for what it may be used. */
export interface Signer {
  readonly credentials: Credentials;
  readonly authorizedScopes: readonly string[];
}

/** The credentials can't sign: their certificate is no JSON. The message tells nothing of it. */
export class UnusableCredentials extends Error {
  override name = "UnusableCredentials";
}

export interface SignedRequest {
  readonly method: string;
  readonly target: UpstreamTarget;
  /** Time of the deployment, seconds since the epoch. */
  readonly timestamp: number;
  /** Default: eight random characters. */
  readonly nonce?: string;
}

/** The value of the header field `Authorization`. @throws UnusableCredentials */
export function authorization(signer: Signer, { method, target, timestamp, nonce }: SignedRequest): string {
  const ext = extension(signer);
  const parts = { ts: timestamp, nonce: nonce ?? randomNonce(), method, ext };
  const mac = macOf("header", { signer, target, parts });
  const { clientId } = signer.credentials;
  return `Hawk id="${clientId}", mac="${mac}", ts="${parts.ts}", nonce="${parts.nonce}", ext="${ext}"`;
}

/** The address with `bewit` added to its query, which stays as it is (weakness TP-6). @throws UnusableCredentials */
export function withBewit(
  signer: Signer,
  { target, expires }: { target: UpstreamTarget; /** Seconds since the epoch. */ expires: number },
): string {
  const ext = extension(signer);
  const mac = macOf("bewit", { signer, target, parts: { ts: expires, nonce: "", method: "GET", ext } });
  const text = [signer.credentials.clientId, expires, mac, ext].join("\\");
  const bewit = Buffer.from(text).toString("base64url");
  return `${target.url}${target.resource.includes("?") ? "&" : "?"}bewit=${bewit}`;
}

interface MacOptions {
  readonly signer: Signer;
  readonly target: UpstreamTarget;
  readonly parts: { ts: number; nonce: string; method: string; ext: string };
}

function macOf(type: "header" | "bewit", { signer, target, parts }: MacOptions): string {
  const { clientId, accessToken } = signer.credentials;
  const key = { id: clientId, key: accessToken.reveal(), algorithm: "sha256" as const };
  const { hostname, port, resource } = target;
  return crypto.calculateMac(type, key, { ...parts, resource, host: hostname, port });
}

function extension({ credentials, authorizedScopes }: Signer): string {
  try {
    return hawkExtension(credentials, authorizedScopes) ?? "";
  } catch {
    // The parser's own words would quote the certificate.
    throw new UnusableCredentials("Cannot sign: the certificate of the task's credentials is not valid JSON");
  }
}

function randomNonce(): string {
  return Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(6))).toString("base64url");
}
