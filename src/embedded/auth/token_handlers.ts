/** Entries of the auth service that give out access to other things. */

import { createHmac } from "node:crypto";
import { formatTimestamp } from "../../base/timestamp.ts";
import { param } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { AuthServiceOptions } from "./service.ts";

const hourMs = 60 * 60_000;
const dayMs = 24 * hourMs;

/** sentryDSN and websocktunnelToken. */
export function tokenHandlers(options: AuthServiceOptions): Record<string, ApiHandler> {
  return {
    sentryDSN: (request) => sentryDsn(request, options),
    websocktunnelToken: (request) => websocktunnelToken(request, options),
  };
}

function sentryDsn(request: ApiRequest, { clock, sentryUrl }: AuthServiceOptions): ApiResponse {
  const project = param(request, "project");
  if (sentryUrl === undefined) throw notConfigured("Sentry");
  const url = new URL(sentryUrl);
  const dsn = (user: string) => `${url.protocol}//${user}@${url.host}/${encodeURIComponent(project)}`;
  const expires = formatTimestamp(clock.nowMs() + dayMs);
  return { body: { project, dsn: { secret: dsn("public:secret"), public: dsn("public") }, expires } };
}

/** A JSON Web Token as websocktunnel wants it (spec 04 §5.3). */
function websocktunnelToken(request: ApiRequest, options: AuthServiceOptions): ApiResponse {
  const { clock, websocktunnelSecret } = options;
  const [wstAudience, wstClient] = [param(request, "wstAudience"), param(request, "wstClient")];
  if (websocktunnelSecret === undefined) throw notConfigured("Websocktunnel");
  const nowS = Math.floor(clock.nowMs() / 1000);
  const expiresMs = (nowS * 1000) + 96 * hourMs;
  const claims = {
    tid: wstClient,
    exp: expiresMs / 1000,
    iat: nowS,
    nbf: nowS - 15 * 60,
    iss: "taskcluster-auth",
    aud: wstAudience,
  };
  const token = signedToken(claims, websocktunnelSecret);
  return { body: { wstClient, wstAudience, token, expires: formatTimestamp(expiresMs) } };
}

function signedToken(claims: object, secret: string): string {
  const encode = (part: object) =>
    btoa(JSON.stringify(part)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const content = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

function notConfigured(what: string): ApiError {
  return new ApiError(404, "ResourceNotFound", `${what} is not configured in this embedded Taskcluster`);
}
