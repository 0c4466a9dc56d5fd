/** Publishes one artifact of any kind. Nothing here decides what a failure means for the task. */

import { TaskFileError } from "../engine/engine.ts";
import { credentialsFromWire } from "../services/credentials.ts";
import type { ObjectUpload } from "../services/object_upload.ts";
import type { CreateArtifactRequest } from "../services/queue_types.ts";
import type {
  ContentEncoding,
  DataArtifact,
  ErrorArtifact,
  LinkArtifact,
  ReferenceArtifact,
} from "./artifact.ts";
import { ArtifactError, RunResolvedError } from "./artifact_error.ts";
import type { ArtifactRun } from "./artifact_run.ts";
import { bodyLength } from "./body.ts";
import type { ByteSource } from "./byte_source.ts";
import type { HashAlgorithm } from "./content_hash.ts";
import { createArtifact } from "./create_artifact.ts";
import { encodeBody, type EncodedBody } from "./encode.ts";
import { isHeaderValue } from "./put.ts";
import { finishArtifact } from "./finish_artifact.ts";
import type { UploadOptions } from "./put_until_stored.ts";
import { objectHashAlgorithms, uploadObject } from "./upload_object.ts";
import { type S3Target, uploadToS3 } from "./upload_s3.ts";

/** What a published file turned out to be. */
export interface PublishedData {
  readonly sizeBytes: number;
  readonly contentEncoding: ContentEncoding;
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

/** Do artifacts of this run become objects, which hold the bytes as they are? */
export function createsObjects(run: ArtifactRun): boolean {
  return run.worker.config.createObjectArtifacts;
}

/** Which hashes a body has to come with to be published. */
export function requiredHashes(run: ArtifactRun): readonly HashAlgorithm[] {
  return createsObjects(run) ? objectHashAlgorithms : [];
}

/** @throws ArtifactError, RunResolvedError */
export async function publishData(
  run: ArtifactRun,
  artifact: DataArtifact,
  options: PublishDataOptions,
): Promise<PublishedData> {
  const inTurn = run.worker.uploadSlots ?? ((upload) => upload());
  const contentEncoding = createsObjects(run) ? "identity" : artifact.contentEncoding;
  return await inTurn(() =>
    endingWithRun(run, async () => {
      const startedMs = run.worker.clock.monotonicMs();
      await using encoded = await encodeBody(options.source, {
        contentEncoding,
        path: artifact.path,
        sizeBytes: options.sizeBytes,
        hashAlgorithms: createsObjects(run) || !options.hashed ? requiredHashes(run) : ["sha256"],
        temporaryDirectory: run.privateDirectory,
        signal: run.lostSignal,
        compressionSlots: run.worker.compressionSlots,
      });
      const published = await publishEncoded(run, { ...artifact, contentEncoding }, encoded);
      return { ...published, durationMs: run.worker.clock.monotonicMs() - startedMs };
    })
  );
}

/**
 * Publishes a body that is encoded already; one that becomes an object must not be.
 *
 * @throws ArtifactError, RunResolvedError
 */
export async function publishEncoded(
  run: ArtifactRun,
  artifact: DataArtifact,
  encoded: EncodedBody,
): Promise<PublishedData> {
  const { clock } = run.worker;
  const startedMs = clock.monotonicMs();
  checkContentType(artifact);
  const store = createsObjects(run) ? storeAsObject : storeInS3;
  await endingWithRun(run, () => store(run, artifact, encoded));
  const { sha256 } = encoded.hashes();
  return {
    sizeBytes: encoded.sizeBytes,
    contentEncoding: artifact.contentEncoding,
    storedBytes: bodyLength(encoded.body),
    durationMs: clock.monotonicMs() - startedMs,
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

async function storeInS3(run: ArtifactRun, artifact: DataArtifact, encoded: EncodedBody): Promise<void> {
  const { name, path, contentType, contentEncoding, expires } = artifact;
  const { workerLog: log } = run;
  log.info(
    `Uploading artifact ${name} from file ${path} with content encoding "${contentEncoding}", ` +
      `mime type "${contentType}" and expiry ${expires}`,
  );
  log.info(encoded.copied ? `Copying ${path} to temp file...` : `Not copying ${path} to temp file`);
  await uploadToS3(encoded.body, {
    ...uploadOptions(run, name),
    contentEncoding,
    requestTarget: () => requestTarget(run, artifact, encoded.sizeBytes),
  });
}

async function storeAsObject(run: ArtifactRun, artifact: DataArtifact, encoded: EncodedBody): Promise<void> {
  const { name, path, contentType, contentEncoding, expires } = artifact;
  if (contentEncoding !== "identity") {
    throw new TypeError(`Cannot store ${name} as ${contentEncoding} object`);
  }
  run.workerLog.info(
    `Uploading artifact ${name} from file ${path} with content type "${contentType}" and expiry ${expires}`,
  );
  const upload = await beginObject(run, artifact);
  const options = { ...uploadOptions(run, name), client: run.worker.client, upload, contentType };
  await uploadObject(encoded, options);
  await finishArtifact(run, { name, uploadId: upload.uploadId });
}

function uploadOptions(run: ArtifactRun, name: string): UploadOptions {
  const { worker: { clock, client }, workerLog: log, lostSignal: signal } = run;
  return { name, signal, clock, clockSkewMs: () => client.clockSkewMs, log };
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
): Promise<S3Target> {
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
  throw otherStorage(name, { wanted: "s3", got: answer.storageType });
}

/** Announces an object, once: a second time for the same name never succeeds. Not with its length (weakness W-60). */
async function beginObject(run: ArtifactRun, artifact: DataArtifact): Promise<ObjectUpload> {
  const { name, expires, contentType } = artifact;
  const answer = await createArtifact(run, {
    name,
    request: { storageType: "object", expires, contentType },
  });
  if (answer.storageType !== "object") {
    throw otherStorage(name, { wanted: "object", got: answer.storageType });
  }
  return { ...answer, credentials: credentialsFromWire(answer.credentials) };
}

function otherStorage(name: string, { wanted, got }: { wanted: string; got: string }): ArtifactError {
  return new ArtifactError(
    "refused",
    `The queue answered with storage type ${got} for artifact ${name}, not ${wanted}`,
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
