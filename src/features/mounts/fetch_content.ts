/** Where content comes from: the key it is kept under, and how it is fetched (spec 03 §6.4). */

import { createHash } from "node:crypto";
import { formatByteSize } from "../../base/byte_size.ts";
import { errorText } from "../../base/error_text.ts";
import { formatDuration } from "../../base/duration.ts";
import { download, type Downloaded, type DownloadOptions } from "../../services/download.ts";
import { downloadArtifact } from "../../services/download_artifact.ts";
import type { DownloadError } from "../../services/download_error.ts";
import { findTask } from "../../services/index.ts";
import type { TaskRun } from "../../task/task_run.ts";
import {
  type ArtifactContent,
  artifactKey,
  type Content,
  contentKey,
  describeContent,
  literalBytes,
  type LiteralContent,
  type UrlContent,
} from "./content.ts";
import type { WantedContent } from "./file_cache.ts";
import { MountError, type MountLog } from "./mount_log.ts";

/** Whose content it is, and who is told. */
export interface FetchContext {
  readonly task: TaskRun;
  readonly log: MountLog;
}

type FetchTarget = Parameters<WantedContent["fetch"]>[0];

/**
 * What to ask the file cache for. The index is asked here and only here, so that key and content are of one task
 * (weakness W-46).
 *
 * @throws MountError when the index does not know the namespace; the signal's reason
 */
export async function wantedContent(content: Content, context: FetchContext): Promise<WantedContent> {
  const { log, task: { signal } } = context;
  const common = { source: describeContent(content), log, signal };
  if (content.kind === "indexed") {
    const { artifact } = content;
    const found = { taskId: await indexedTask(content.namespace, context), artifact };
    return { ...common, key: artifactKey(found), fetch: (into) => fetchArtifact(found, into, context) };
  }
  const key = contentKey(content);
  switch (content.kind) {
    case "artifact":
      return { ...common, ...required(content), key, fetch: (into) => fetchArtifact(content, into, context) };
    case "url":
      return { ...common, ...required(content), key, fetch: (into) => fetchUrl(content, into, context) };
    default:
      return { ...common, key, fetch: (into) => fetchLiteral(content, into, context) };
  }
}

function required({ sha256 }: ArtifactContent | UrlContent): { sha256?: string } {
  return sha256 === undefined ? {} : { sha256 };
}

async function indexedTask(namespace: string, { task }: FetchContext): Promise<string> {
  try {
    return await findTask(task.worker.client, {
      namespace,
      credentials: () => task.credentials(),
      signal: task.signal,
    });
  } catch (error) {
    task.signal.throwIfAborted();
    throw new MountError(`Could not find a task in the index at ${namespace}: ${errorText(error)}`, {
      cause: error,
    });
  }
}

async function fetchArtifact(
  { taskId, artifact }: Pick<ArtifactContent, "taskId" | "artifact">,
  into: FetchTarget,
  context: FetchContext,
): Promise<{ sha256: string }> {
  const { log, task } = context;
  const source = `task ${taskId} artifact ${artifact}`;
  log.info(`Downloading ${source} to ${into.shown}`);
  const downloaded = await downloadArtifact(task.worker.client, {
    ...transfer(into, context),
    taskId,
    name: artifact,
    credentials: () => task.credentials(),
    onRetry: (error, pauseMs) => log.warn(failedAttempt({ source, into, error, pauseMs })),
  });
  return told(downloaded, { source, into, log });
}

async function fetchUrl(
  { url }: UrlContent,
  into: FetchTarget,
  context: FetchContext,
): Promise<{ sha256: string }> {
  const { log } = context;
  const source = `url ${url}`;
  try {
    const downloaded = await download({
      ...transfer(into, context),
      locate: () => url,
      onAttempt: () => log.info(`Downloading ${source} to ${into.shown}`),
      onRetry: (error, pauseMs) => log.warn(failedAttempt({ source, into, error, pauseMs })),
    });
    return told(downloaded, { source, into, log });
  } catch (error) {
    if (!into.signal.aborted) {
      log.error(`Could not fetch from ${source} into file ${into.shown}: ${errorText(error)}`);
    }
    throw error;
  }
}

async function fetchLiteral(
  content: LiteralContent,
  into: FetchTarget,
  { log }: FetchContext,
): Promise<{ sha256: string }> {
  const source = describeContent(content);
  const bytes = literalBytes(content);
  log.info(`Copying ${source} to ${into.shown}`);
  await Deno.writeFile(into.path, bytes, { mode: 0o600 });
  log.info(`Copied ${bytes.length} bytes from ${source} to ${into.shown}`);
  return { sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Every attempt that fails is told, with the pause before the next (weakness W-62). */
function failedAttempt(
  attempt: { source: string; into: FetchTarget; error: DownloadError; pauseMs: number },
): string {
  const { source, into, error, pauseMs } = attempt;
  const next = `${error.message} (next attempt in ${formatDuration(Math.round(pauseMs))})`;
  return error.stage === "request"
    ? `Download of ${source} failed on this attempt: ${next}`
    : `Could not write http response from ${source} to file ${into.shown} on this attempt: ${next}`;
}

function told(
  downloaded: Downloaded,
  { source, into, log }: { source: string; into: FetchTarget; log: MountLog },
): { sha256: string } {
  const { sizeBytes, hashes: { sha256 = "" } } = downloaded;
  log.info(`Downloaded ${sizeBytes} bytes with SHA256 ${sha256} from ${source} to ${into.shown}`);
  return { sha256 };
}

const progressEveryMs = 5_000;

type Transfer = Pick<DownloadOptions, "path" | "signal" | "clock" | "onProgress"> & { path: string };

/** What all downloads have in common; one that takes long says every few seconds how far it is. */
function transfer({ path, signal }: FetchTarget, { task, log }: FetchContext): Transfer {
  const { clock } = task.worker;
  const startMs = clock.monotonicMs();
  let saidMs = startMs;
  return {
    path,
    signal,
    clock,
    onProgress(receivedBytes, totalBytes) {
      const nowMs = clock.monotonicMs();
      if (nowMs - saidMs < progressEveryMs) return;
      saidMs = nowMs;
      const total = totalBytes === undefined ? "" : ` of ${formatByteSize(totalBytes)}`;
      const rate = formatByteSize(receivedBytes / (nowMs - startMs) * 1000);
      log.info(`Received ${formatByteSize(receivedBytes)}${total} so far (${rate} a second)`);
    },
  };
}
