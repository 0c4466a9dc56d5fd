/** The parts of the auth service that the worker uses (spec 01 §12.1). */

import type { ServiceClient } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import type { CallOptions } from "./queue.ts";

/**
 * The scopes that `scopes` stand for once all roles they assume are added.
 *
 * @throws ServiceError, or the signal's reason
 */
export async function expandScopes(
  client: ServiceClient,
  request: { credentials: Credentials; scopes: readonly string[] } & CallOptions,
): Promise<readonly string[]> {
  const { scopes, ...rest } = request;
  const answer = await client.call<{ scopes: string[] }>({
    ...rest,
    service: "auth",
    name: "expandScopes",
    method: "POST",
    path: ["scopes", "expand"],
    body: { scopes },
  });
  return answer.scopes;
}
