/** Downloads an artifact of the latest run of a task, wherever it is stored (spec 03 §4.2). */

import type { ServiceClient } from "./client.ts";
import { credentialsFromWire, type CredentialsSource } from "./credentials.ts";
import { download, type Downloaded, type DownloadOptions } from "./download.ts";
import { DownloadError } from "./download_error.ts";
import { type ObjectDownload, startDownload } from "./object.ts";
import type { CallOptions } from "./queue.ts";
import type { WireCredentials } from "./queue_types.ts";

export interface DownloadArtifactOptions extends Omit<DownloadOptions, "locate" | "algorithms"> {
  readonly taskId: string;
  readonly name: string;
  /** Those that may read the artifact. */
  readonly credentials: CredentialsSource;
}

/** How the queue says where an artifact is. */
type ArtifactContent =
  | { readonly storageType: "s3" | "reference"; readonly url: string }
  | { readonly storageType: "object"; readonly name: string; readonly credentials: WireCredentials }
  | { readonly storageType: "error"; readonly reason: string; readonly message: string };

/** How long an address that says nothing about it is taken for good. */
const addressLifeMs = 15 * 60_000;

/**
 * Writes the artifact to a file. Content of the object service is checked against the hashes it is stored with.
 *
 * @throws ServiceError when the queue refuses; DownloadError; the signal's reason
 */
export async function downloadArtifact(
  client: ServiceClient,
  options: DownloadArtifactOptions,
): Promise<Downloaded> {
  const content = await latestArtifact(client, options);
  if (content.storageType === "object") return await downloadObject(client, { ...options, object: content });
  let current = { url: content.url, untilMs: Date.now() + addressLifeMs };
  return await download({
    ...options,
    async locate(attempt) {
      if (attempt === 1 || Date.now() < current.untilMs) return current.url;
      const again = await latestArtifact(client, options);
      if (again.storageType !== content.storageType) throw final("the artifact has been replaced meanwhile");
      current = { url: again.url, untilMs: Date.now() + addressLifeMs };
      return current.url;
    },
  });
}

async function latestArtifact(
  client: ServiceClient,
  { taskId, name, credentials, signal }: DownloadArtifactOptions,
): Promise<Exclude<ArtifactContent, { storageType: "error" }>> {
  const content = await client.call<ArtifactContent>({
    service: "queue",
    name: "latestArtifact",
    method: "GET",
    path: ["task", taskId, "artifact-content", name],
    credentials,
    ...(signal ? { signal } : {}),
  });
  switch (content.storageType) {
    case "s3":
    case "reference":
    case "object":
      return content;
    case "error":
      throw final(`${content.message}: ${content.reason}`);
    default:
      throw final(`unsupported artifact storageType '${Reflect.get(content, "storageType")}'`);
  }
}

interface ObjectContent {
  readonly name: string;
  readonly credentials: WireCredentials;
}

async function downloadObject(
  client: ServiceClient,
  { object, ...options }: DownloadArtifactOptions & { object: ObjectContent },
): Promise<Downloaded> {
  const credentials = credentialsFromWire(object.credentials);
  const call: CallOptions = options.signal ? { signal: options.signal } : {};
  const begin = () => startDownload(client, { name: object.name, credentials, ...call });
  let current = await begin();
  const downloaded = await download({
    ...options,
    algorithms: ["sha256", "sha512"],
    async locate(attempt) {
      // Each address is tried at least once, however short its life.
      if (attempt > 1 && Date.parse(current.expires) <= Date.now()) current = await begin();
      return current.url;
    },
  });
  verify(current, downloaded);
  return downloaded;
}

/** @throws DownloadError unless there is a hash and all there are match */
function verify({ hashes }: ObjectDownload, downloaded: Downloaded): void {
  const known = Object.entries(downloaded.hashes).filter(([algorithm]) => algorithm in hashes);
  if (known.length === 0) throw final("no acceptable hashes found in object metadata");
  for (const [algorithm, found] of known) {
    if (hashes[algorithm] === found) continue;
    throw final(`validation of object data's ${algorithm} hash failed`);
  }
}

function final(message: string): DownloadError {
  return new DownloadError(message, { stage: "body", temporary: false });
}
