/** The index as the worker sees it. */

import type { ServiceClient } from "./client.ts";
import type { CredentialsSource } from "./credentials.ts";
import type { CallOptions } from "./queue.ts";

/**
 * The id of the task that the index has at `namespace`.
 *
 * @throws ServiceError (404: nothing there), or the signal's reason
 */
export async function findTask(
  client: ServiceClient,
  request: { namespace: string; credentials: CredentialsSource } & CallOptions,
): Promise<string> {
  const { namespace, ...rest } = request;
  const answer = await client.call<{ taskId: string }>({
    ...rest,
    service: "index",
    name: "findTask",
    method: "GET",
    path: ["task", namespace],
  });
  return answer.taskId;
}
