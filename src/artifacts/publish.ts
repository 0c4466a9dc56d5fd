/** Publishes one artifact of any kind. Nothing here decides what a failure means for the task. */

import { TaskFileError } from "../engine/engine.ts";
import type { CreateArtifactRequest } from "../services/queue_types.ts";
import type { DataArtifact, ErrorArtifact, LinkArtifact, ReferenceArtifact } from "./artifact.ts";
import { ArtifactError, RunResolvedError } from "./artifact_error.ts";
import type { ArtifactRun } from "./artifact_run.ts";
import { bodyLength } from "./body.ts";
import type { ByteSource } from "./byte_source.ts";
import { createArtifact } from "./create_artifact.ts";
import { encodeBody, type EncodedBody } from "./encode.ts";
import { isHeaderValue } from "./put.ts";
import { type PutTarget, uploadToS3 } from "./upload_s3.ts";

/** What a published file turned out to be. */
export interface PublishedData {
  readonly sizeBytes: number;
  /** As sent, in its content encoding. */
  readonly storedBytes: number;
  /** With the time for encoding it. */
  readonly durationMs: number;
  /** Of the content before encoding, when asked for. */
  readonly sha256?: string;
}

export interface PublishDataOptions {
  /** The content. Stays open. */
  readonly source: ByteSource;
  readonly sizeBytes: number;
  /** Is the SHA-256 wanted? It costs about as much as sending. */
  readonly hashed: boolean;
}

/** @throws ArtifactError, RunResolvedError */
export async function publishData(
  run: ArtifactRun,
  artifact: DataArtifact,
  options: PublishDataOptions,
): Promise<PublishedData> {
  const inTurn = run.worker.uploadSlots ?? ((upload) => upload());
  return await inTurn(() =>
    endingWithRun(run, async () => {
      const startedMs = run.worker.clock.monotonicMs();
      await using encoded = await encodeBody(options.source, {
        ...artifact,
        sizeBytes: options.sizeBytes,
        hashed: options.hashed,
        temporaryDirectory: run.privateDirectory,
        signal: run.lostSignal,
      });
      const published = await publishEncoded(run, artifact, encoded);
      return { ...published, durationMs: run.worker.clock.monotonicMs() - startedMs };
    })
  );
}

/** Publishes a body that is encoded already. @throws ArtifactError, RunResolvedError */
export async function publishEncoded(
  run: ArtifactRun,
  artifact: DataArtifact,
  encoded: EncodedBody,
): Promise<PublishedData> {
  const { name, path, contentType, contentEncoding, expires } = artifact;
  const { worker: { clock, client }, workerLog: log, lostSignal: signal } = run;
  const startedMs = clock.monotonicMs();
  checkContentType(artifact);
  log.info(
    `Uploading artifact ${name} from file ${path} with content encoding "${contentEncoding}", ` +
      `mime type "${contentType}" and expiry ${expires}`,
  );
  log.info(encoded.copied ? `Copying ${path} to temp file...` : `Not copying ${path} to temp file`);
  await endingWithRun(run, () =>
    uploadToS3(encoded.body, {
      name,
      contentEncoding,
      signal,
      clock,
      clockSkewMs: () => client.clockSkewMs,
      log,
      requestTarget: () => requestTarget(run, artifact, encoded.sizeBytes),
    }));
  const sha256 = encoded.sha256();
  return {
    sizeBytes: encoded.sizeBytes,
    storedBytes: bodyLength(encoded.body),
    durationMs: clock.monotonicMs() - startedMs,
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

/** @throws ArtifactError, RunResolvedError */
export async function publishError(run: ArtifactRun, artifact: ErrorArtifact): Promise<void> {
  const { name, expires, reason, message } = artifact;
  await createArtifact(run, { name, request: { storageType: "error", expires, reason, message } });
}

/** @throws ArtifactError, RunResolvedError */
export async function publishLink(run: ArtifactRun, artifact: LinkArtifact): Promise<void> {
  const { name, target, expires, contentType } = artifact;
  run.workerLog.info(`Uploading link artifact ${name} to artifact ${target} with expiry ${expires}`);
  const request: CreateArtifactRequest = {
    storageType: "link",
    expires,
    artifact: target,
    ...(contentType ? { contentType } : {}),
  };
  await createArtifact(run, { name, request });
}

/** @throws ArtifactError, RunResolvedError */
export async function publishReference(run: ArtifactRun, artifact: ReferenceArtifact): Promise<void> {
  const { name, url, expires, contentType, hidden } = artifact;
  run.workerLog.info(
    `Uploading redirect artifact ${name} to URL ${hidden ? "(URL hidden)" : url} with mime type ` +
      `"${contentType}" and expiry ${expires}`,
  );
  await createArtifact(run, { name, request: { storageType: "reference", expires, contentType, url } });
}

async function requestTarget(
  run: ArtifactRun,
  artifact: DataArtifact,
  sizeBytes: number,
): Promise<PutTarget> {
  const { name, expires, contentType } = artifact;
  const answer = await createArtifact(run, {
    name,
    request: {
      storageType: "s3",
      expires,
      contentType,
      ...(sizeBytes === 0 ? {} : { contentLength: sizeBytes }),
    },
  });
  if (answer.storageType === "s3") return answer;
  throw new ArtifactError(
    "refused",
    `The queue answered with storage type ${answer.storageType} for artifact ${name}, not s3`,
  );
}

function checkContentType({ name, contentType }: DataArtifact): void {
  if (isHeaderValue(contentType)) return;
  throw new ArtifactError(
    "malformed",
    `Cannot publish artifact ${name}: its content type ${JSON.stringify(contentType)} is not printable ASCII`,
  );
}

/** Failures of a lost run are no failures, and those of a file get a name. */
async function endingWithRun<T>(run: ArtifactRun, work: () => Promise<T>): Promise<T> {
  try {
    run.lostSignal.throwIfAborted();
    return await work();
  } catch (error) {
    if (run.lostSignal.aborted && !(error instanceof RunResolvedError)) {
      throw new RunResolvedError("The run is not ours any more", { cause: error });
    }
    if (error instanceof TaskFileError) {
      throw new ArtifactError("unreadable", error.message, { cause: error });
    }
    throw error;
  }
}
