/** The header fields that say which proxy answers, with whose rights (spec 04 §7.2). */

import type { Fields } from "./message_head.ts";
import { type Signer, UnusableCredentials } from "./signature.ts";

/** Of the program. */
export interface ProxyBuild {
  readonly version: string;
  readonly revision: string | undefined;
}

/** Set on every answer. @throws UnusableCredentials */
export function proxyFields({ credentials, authorizedScopes }: Signer, build: ProxyBuild): Fields {
  const { clientId, certificate } = credentials;
  const whose: [string, string][] = certificate
    ? [
      ["X-Taskcluster-Proxy-Temp-ClientId", clientId],
      ["X-Taskcluster-Proxy-Temp-Scopes", asciiJson(scopesOf(certificate.reveal()))],
    ]
    : [["X-Taskcluster-Proxy-Perm-ClientId", clientId]];
  return [
    ["X-Taskcluster-Proxy-Version", build.version],
    ["X-Taskcluster-Proxy-Revision", build.revision ?? ""],
    ...whose,
    ["X-Taskcluster-Authorized-Scopes", asciiJson(authorizedScopes)],
  ];
}

/** What the deployment says itself counts; repeated fields all stay (weakness TP-9). */
export function withProxyFields(fields: Fields, own: Fields): Fields {
  const said = new Set(fields.map(([name]) => name.toLowerCase()));
  return [...own.filter(([name]) => !said.has(name.toLowerCase())), ...fields];
}

function scopesOf(certificate: string): unknown {
  try {
    const parsed: unknown = JSON.parse(certificate);
    if (typeof parsed === "object" && parsed !== null) return Reflect.get(parsed, "scopes") ?? null;
  } catch {
    // The parser's words would quote it.
  }
  throw new UnusableCredentials("The certificate of the task's credentials is not valid JSON");
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
