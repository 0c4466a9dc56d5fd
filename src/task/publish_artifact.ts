/**
 * Publishes artifacts of a run, and says what a failure means for the task (spec 03 §3.4 to §3.6).
 *
 * What is published for a run that is resolved already counts as done: nobody can be told any more.
 */

import type { DataArtifact, ErrorArtifact, LinkArtifact, ReferenceArtifact } from "../artifacts/artifact.ts";
import { ArtifactError, RunResolvedError } from "../artifacts/artifact_error.ts";
import type { ByteSource } from "../artifacts/byte_source.ts";
import type { EncodedBody } from "../artifacts/encode.ts";
import { effectiveExpiry } from "../artifacts/expiry.ts";
import { ownBytesBody, ownFileBody, plainFileBody } from "../artifacts/own_file_body.ts";
import * as publish from "../artifacts/publish.ts";
import { formatByteSize } from "../base/byte_size.ts";
import { formatDuration } from "../base/duration.ts";
import type { CompressedLog } from "../log/gzip_follower.ts";
import { TaskException, TaskFailure } from "./errors.ts";
import type { TaskRun } from "./task_run.ts";

export interface DataUpload {
  readonly artifact: DataArtifact;
  /** The content; stays open. */
  readonly source: ByteSource;
  readonly sizeBytes: number;
  /** Do failures not count? Default: they do. */
  readonly optional?: boolean;
}

/** Publishes a file, and says so in the task's log (weakness W-24). @throws TaskException, TaskFailure */
export async function uploadData(task: TaskRun, upload: DataUpload): Promise<void> {
  const { artifact, source, sizeBytes, optional = false } = upload;
  const { name } = artifact;
  await explained(task, { name, optional }, async () => {
    const hashed = task.payload.features["chainOfTrust"] === true;
    const published = await publish.publishData(task, artifact, { source, sizeBytes, hashed });
    remember(task, name, published);
    task.log.info(summary(name, published));
  });
}

export interface ErrorUpload {
  readonly artifact: ErrorArtifact;
  /** Then the task does not fail. */
  readonly optional: boolean;
}

/**
 * Publishes why a file is not there.
 *
 * @throws TaskFailure when it is published, unless it is optional; TaskException when it can't be
 */
export async function uploadError(task: TaskRun, { artifact, optional }: ErrorUpload): Promise<void> {
  const { name, path, reason, message, expires } = artifact;
  await explained(task, { name, optional }, () => publish.publishError(task, artifact));
  if (task.lostSignal.aborted) return;
  const line = `Uploading error artifact ${name} from file ${path} with message "${message}", ` +
    `reason "${reason}" and expiry ${expires}`;
  if (optional) return task.workerLog.info(line);
  task.log.error(line);
  failUpload(task, `${reason}: ${message}`);
}

/** Fails the task for an artifact, with the line in its log that people look for. @throws TaskFailure always */
export function failUpload(task: TaskRun, message: string): never {
  task.log.error(`TASK FAILURE during artifact upload: ${message}`);
  throw new TaskFailure(message);
}

/** Publishes another name of an artifact; expires with the task by default. @throws TaskException */
export async function uploadLink(
  task: TaskRun,
  link: Omit<LinkArtifact, "expires"> & { expires?: string },
): Promise<void> {
  const artifact = { ...link, expires: link.expires ?? taskExpiry(task) };
  await explained(task, { name: link.name, optional: false }, () => publish.publishLink(task, artifact));
  remember(task, link.name);
}

/** Publishes an address. @throws TaskException */
export async function uploadReference(task: TaskRun, artifact: ReferenceArtifact): Promise<void> {
  await explained(
    task,
    { name: artifact.name, optional: false },
    () => publish.publishReference(task, artifact),
  );
  remember(task, artifact.name);
}

/** A whole log: compressed, or as it is for where no encoding is kept. */
export type LogContent =
  | CompressedLog
  | { readonly kind: "raw"; readonly path: string; readonly sizeBytes: number };

/** Are the run's logs published as they are? Then nothing is gained by compressing them (spec 03 §2.6). */
export function publishesRawLogs(task: TaskRun): boolean {
  return publish.createsObjects(task);
}

/** Publishes a log of the worker's own as spec 03 §5 says. @throws TaskException */
export async function uploadLog(
  task: TaskRun,
  { name, content }: { name: string; content: LogContent },
): Promise<void> {
  if (content.kind === "plain") {
    task.workerLog.warn(`Could not compress ${content.path}, sending it uncompressed: ${content.because}`);
  }
  const artifact: DataArtifact = {
    name,
    path: content.kind === "memory" ? task.log.path : content.path,
    contentType: "text/plain; charset=utf-8",
    contentEncoding: content.kind === "raw" ? "identity" : "gzip",
    expires: taskExpiry(task),
  };
  await explained(task, { name, optional: false }, async () => {
    await using body = await logBody(task, content);
    remember(task, name, await publish.publishEncoded(task, artifact, body));
  });
}

async function logBody(task: TaskRun, content: LogContent): Promise<EncodedBody> {
  if (content.kind === "memory") return ownBytesBody(content.bytes, content.sizeBytes);
  if (content.kind === "raw") {
    const hashAlgorithms = publish.requiredHashes(task);
    return await plainFileBody({ ...content, hashAlgorithms, signal: task.lostSignal });
  }
  return await ownFileBody(content);
}

function taskExpiry(task: TaskRun): string {
  return effectiveExpiry({ path: "" }, task.definition);
}

function remember(
  task: TaskRun,
  name: string,
  published: { sizeBytes?: number; sha256?: string } = {},
): void {
  const { sizeBytes, sha256 } = published;
  task.published.set(name, {
    name,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(sha256 === undefined ? {} : { sha256 }),
  });
}

function summary(name: string, published: publish.PublishedData): string {
  const { sizeBytes, contentEncoding, storedBytes, durationMs } = published;
  const stored = contentEncoding === "identity"
    ? ""
    : `, ${formatByteSize(storedBytes)} as ${contentEncoding}`;
  return `Uploaded artifact ${name}: ${formatByteSize(sizeBytes)}${stored}, in ${
    formatDuration(Math.round(durationMs))
  }`;
}

/** Runs `work`; what it throws becomes what it means for the task. */
async function explained(
  task: TaskRun,
  { name, optional }: { name: string; optional: boolean },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof RunResolvedError) {
      return task.workerLog.info(`Artifact ${name} is not published: ${error.message}`);
    }
    if (!(error instanceof ArtifactError)) throw error;
    if (optional && error.kind !== "refused") {
      return task.log.warn(`Optional artifact ${name} could not be uploaded: ${error.message}`);
    }
    throw asProblem(task, error);
  }
}

function asProblem(task: TaskRun, error: ArtifactError): TaskException | TaskFailure {
  const { kind, message } = error;
  switch (kind) {
    case "unavailable":
      task.log.error(`Error uploading artifact: ${message}`);
      return new TaskException("resource-unavailable", message, { cause: error });
    case "unfinished":
      task.log.error(`Error finishing artifact: ${message}`);
      return new TaskException("resource-unavailable", message, { cause: error });
    case "conflict":
    case "malformed":
      return new TaskException("malformed-payload", message, { cause: error });
    case "refused":
      return new TaskException("internal-error", message, { cause: error });
    case "unreadable":
      return new TaskFailure(`file-not-readable-on-worker: ${message}`, { cause: error });
  }
}
