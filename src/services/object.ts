/** Downloads from the object service as the worker sees them (spec 03 §4.2). */

import type { ServiceClient } from "./client.ts";
import type { CredentialsSource } from "./credentials.ts";
import type { CallOptions } from "./queue.ts";

/** Where an object can be had. */
export interface ObjectDownload {
  readonly method: string;
  readonly url: string;
  /** Timestamp until which the URL is good. */
  readonly expires: string;
  /** Hexadecimal hashes by algorithm. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** Asks for a URL to download an object from. @throws ServiceError, or the signal's reason */
export async function startDownload(
  client: ServiceClient,
  request: { name: string; credentials: CredentialsSource } & CallOptions,
): Promise<ObjectDownload> {
  const { name, ...rest } = request;
  const answer = await client.call<ObjectDownload>({
    ...rest,
    service: "object",
    name: "startDownload",
    method: "PUT",
    path: ["start-download", name],
    body: { acceptDownloadMethods: { getUrl: true } },
  });
  if (answer.method === "getUrl") return answer;
  throw new Error(`unknown download method "${answer.method}" for object "${name}"`);
}
