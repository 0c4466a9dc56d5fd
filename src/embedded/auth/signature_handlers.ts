/** Entries of the auth service that judge signatures: for other services, and for people testing a client. */

import type { Clock } from "../../base/clock.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { scopesSatisfy } from "../../services/scopes.ts";
import { bodyAs } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse, type Caller } from "../service.ts";
import { type Authentication, Authenticator, type SignedRequest } from "./authenticator.ts";
import { Directory } from "./directory.ts";

/** authenticateHawk, testAuthenticate, testAuthenticateGet. */
export function signatureHandlers(authenticator: Authenticator, clock: Clock): Record<string, ApiHandler> {
  return {
    authenticateHawk: async (request) => ({
      body: describe(await authenticator.authenticate(bodyAs<SignedRequest>(request)), clock),
    }),
    testAuthenticate: async (request) => {
      const { clientScopes, requiredScopes } = bodyAs<{ clientScopes: string[]; requiredScopes: string[] }>(
        request,
      );
      return { body: await testAuthenticate(request, { clock, clientScopes, requiredScopes }) };
    },
    testAuthenticateGet: async (request) => ({
      body: await testAuthenticate(request, {
        clock,
        clientScopes: ["test:*", "auth:create-client:test:*"],
        requiredScopes: ["test:authenticate-get"],
      }),
    }),
  };
}

function describe(outcome: Authentication, clock: Clock): ApiResponse["body"] {
  const inFifteenMinutesMs = clock.nowMs() + 15 * 60_000;
  switch (outcome.status) {
    case "auth-failed":
      return outcome;
    case "no-auth":
      return {
        status: outcome.status,
        scheme: "none",
        scopes: outcome.caller.scopes,
        expires: formatTimestamp(inFifteenMinutesMs),
      };
    case "auth-success":
      return {
        status: outcome.status,
        scheme: "hawk",
        ...outcome.caller,
        expires: formatTimestamp(Math.min(outcome.expiresMs, inFifteenMinutesMs)),
        ...(outcome.hash ? { hash: outcome.hash } : {}),
      };
  }
}

/** The client everybody may use to try out a signature: `tester` with a public access token. */
async function testAuthenticate(
  request: ApiRequest,
  { clock, clientScopes, requiredScopes }: { clock: Clock; clientScopes: string[]; requiredScopes: string[] },
): Promise<Caller> {
  if (!request.signed) throw new Error("Cannot test a signature: the request came without one to judge");
  const directory = new Directory(clock);
  directory.addClient("tester", clientScopes, { accessToken: "no-secret" });
  const outcome = await new Authenticator({ clock, directory }).authenticate(request.signed);
  if (outcome.status === "auth-failed") throw new ApiError(401, "AuthenticationFailed", outcome.message);
  const { caller } = outcome;
  if (!scopesSatisfy(caller.scopes, [requiredScopes])) {
    throw new ApiError(403, "InsufficientScopes", `Missing some of the scopes ${requiredScopes.join(", ")}`);
  }
  return { clientId: caller.clientId, scopes: caller.scopes.filter((scope) => scope !== "assume:anonymous") };
}
