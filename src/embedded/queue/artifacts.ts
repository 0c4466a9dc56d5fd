/** What may be published under which name, and where content is found (spec 03 §3.2). */

import type { Clock } from "../../base/clock.ts";
import { stableJson } from "../../base/stable_json.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { v4 as slugid } from "slugid";
import type { CreateArtifactRequest } from "../../services/queue_types.ts";
import type { ObjectCatalogue } from "../object.ts";
import { ApiError } from "../service.ts";
import type { ArtifactStore } from "../store.ts";
import type { Artifact, ArtifactDetails } from "./artifact.ts";
import type { Run, TaskRecord } from "./task_record.ts";

/** Buckets of s3 artifacts: content of the first needs no signature to be read. */
export const artifactBuckets = { public: "public-artifacts", private: "private-artifacts" } as const;

export interface ArtifactsOptions {
  readonly clock: Clock;
  readonly store: ArtifactStore;
  readonly objects: ObjectCatalogue;
  /** How long a URL to upload to is valid, milliseconds. */
  readonly putUrlValidMs: number;
  /** Temporary credentials with these scopes. */
  readonly issueCredentials: (clientId: string, scopes: readonly string[], options: { expiryMs: number }) => {
    clientId: string;
    accessToken: string;
    certificate: string;
  };
  /** A URL of the object service that downloads without further credentials. */
  readonly signedDownloadUrl: (objectName: string) => string;
}

const minuteMs = 60_000;
/** How long runs that ended as exception still take artifacts. */
const lateUploadsMs = 25 * minuteMs;
const getUrlValidMs = 30 * minuteMs;
const objectCredentialsMs = 24 * 60 * minuteMs;
/** Links to links to links: an end must come. */
const longestChain = 10;

/** Artifacts of all runs. */
export class Artifacts {
  readonly #options: ArtifactsOptions;
  readonly #clock: Clock;

  constructor(options: ArtifactsOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /**
   * Announces an artifact.
   * @returns the body of the answer: where to send the content
   * @throws ApiError InputError, RequestConflict
   */
  async create(record: TaskRecord, run: Run, options: { name: string; request: CreateArtifactRequest }) {
    const { name, request } = options;
    this.#requireOpenRun(record, run);
    const artifact = this.#proposed(record, run, { name, request });
    const present = this.find(record, run.runId, name);
    if (present) requireReplaceable(present, artifact);
    if (artifact.details.storageType === "object") await this.#beginObject(artifact, artifact.details);
    this.#keep(record, run.runId, artifact);
    return this.#creationAnswer(artifact);
  }

  /**
   * Makes an object artifact available.
   * @throws ApiError ResourceNotFound, InputError for other storage types, RequestConflict for another upload
   */
  async finish(record: TaskRecord, run: Run, options: { name: string; uploadId: string }): Promise<void> {
    const artifact = this.required(record, run.runId, options.name);
    const { details } = artifact;
    if (details.storageType !== "object") {
      throw new ApiError(
        400,
        "InputError",
        `Cannot finish artifact ${artifact.name}: its type is ${details.storageType}`,
      );
    }
    if (details.uploadId !== options.uploadId) {
      throw conflict(`Cannot finish artifact ${artifact.name}: its upload has another id`);
    }
    if (artifact.contentLength !== undefined) {
      // The real queue fails here, and workers must not run into it (weakness W-60).
      throw new ApiError(
        500,
        "InternalServerError",
        "Object artifacts announced with contentLength cannot be finished",
      );
    }
    const { projectId, uploadId } = details;
    await this.#options.objects.finishUpload(details.name, { projectId, uploadId });
    this.#keep(record, run.runId, { ...artifact, present: true });
  }

  find(record: TaskRecord, runId: number, name: string): Artifact | undefined {
    const artifact = record.artifacts.get(runId)?.get(name);
    return artifact && Date.parse(artifact.expires) > this.#clock.nowMs() ? artifact : undefined;
  }

  /** @throws ApiError ResourceNotFound */
  required(record: TaskRecord, runId: number, name: string): Artifact {
    const artifact = this.find(record, runId, name);
    if (artifact) return artifact;
    throw new ApiError(
      404,
      "ResourceNotFound",
      `Artifact ${name} of run ${runId} of task ${record.taskId} not found`,
    );
  }

  /** Sorted by name; without objects that are not finished. */
  list(record: TaskRecord, runId: number): Artifact[] {
    const names = [...record.artifacts.get(runId)?.keys() ?? []].sort();
    return names.flatMap((name) => this.find(record, runId, name) ?? []).filter((artifact) =>
      artifact.present
    );
  }

  /**
   * Follows links to the artifact that has content, or is an error.
   * @returns the artifact at the end, and the names passed on the way
   */
  resolve(
    record: TaskRecord,
    runId: number,
    name: string,
  ): { artifact: Artifact | undefined; names: string[] } {
    const names = [name];
    let artifact = this.find(record, runId, name);
    while (artifact?.details.storageType === "link") {
      const target = artifact.details.artifact;
      if (names.length > longestChain) {
        throw new ApiError(
          400,
          "InputError",
          `Artifact ${name} is the start of a chain of links that does not end`,
        );
      }
      names.push(target);
      artifact = this.find(record, runId, target);
    }
    return { artifact: artifact?.present ? artifact : undefined, names };
  }

  /** The URL of an artifact's content, valid for half an hour if private; undefined for errors and links. */
  contentUrl({ name, details }: Artifact): string | undefined {
    if (details.storageType === "reference") return details.url;
    if (details.storageType === "object") return this.#options.signedDownloadUrl(details.name);
    if (details.storageType !== "s3") return undefined;
    if (isPublic(name)) return this.#options.store.publicUrl(details);
    return this.#options.store.getUrl(details, { expiresMs: this.#clock.nowMs() + getUrlValidMs });
  }

  /** Credentials to download an object artifact from the object service. */
  downloadCredentials(objectName: string) {
    const expiryMs = this.#clock.nowMs() + getUrlValidMs;
    return this.#options.issueCredentials(`queue/object-download/${slugid()}`, [
      `object:download:${objectName}`,
    ], {
      expiryMs,
    });
  }

  #requireOpenRun(record: TaskRecord, run: Run): void {
    if (run.state === "running") return;
    const endedMs = Date.parse(run.resolved ?? "");
    if (run.state === "exception" && this.#clock.nowMs() <= endedMs + lateUploadsMs) return;
    throw conflict(`Run ${run.runId} of task ${record.taskId} is ${run.state}: it takes no artifacts`);
  }

  #proposed(
    record: TaskRecord,
    run: Run,
    { name, request }: { name: string; request: CreateArtifactRequest },
  ): Artifact {
    if (!/^[\x20-\x7e]+$/.test(name)) throw refused(name, "names are printable ASCII");
    const expiresMs = Date.parse(request.expires);
    if (expiresMs > record.expiresMs) throw refused(name, "it would expire later than its task");
    if (expiresMs <= this.#clock.nowMs()) throw refused(name, "it has expired already");
    const details = detailsOf(record, run, { name, request });
    return {
      name,
      contentType: "contentType" in request ? request.contentType ?? binary : binary,
      expires: formatTimestamp(expiresMs),
      details,
      present: details.storageType !== "object",
      ...("contentLength" in request && request.contentLength !== undefined
        ? { contentLength: request.contentLength }
        : {}),
    };
  }

  async #beginObject(
    artifact: Artifact,
    { name, projectId, uploadId }: Extract<ArtifactDetails, { storageType: "object" }>,
  ): Promise<void> {
    try {
      const { expires } = artifact;
      await this.#options.objects.createUpload(name, {
        projectId,
        uploadId,
        expires,
        proposedUploadMethods: {},
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new ApiError(
        500,
        "InternalServerError",
        `The object service refused the upload: ${error.message}`,
      );
    }
  }

  #keep(record: TaskRecord, runId: number, artifact: Artifact): void {
    const artifacts = record.artifacts.get(runId) ?? new Map<string, Artifact>();
    record.artifacts.set(runId, artifacts.set(artifact.name, artifact));
  }

  #creationAnswer({ contentType, details, expires }: Artifact) {
    const { storageType } = details;
    if (storageType === "s3") return this.#s3Answer(contentType, details);
    if (storageType !== "object") return { storageType };
    const { name, projectId, uploadId } = details;
    const scopes = [`object:upload:${projectId}:${name}`];
    const expiryMs = Math.min(this.#clock.nowMs() + objectCredentialsMs, Date.parse(expires));
    const credentials = this.#options.issueCredentials(`queue/object-upload/${uploadId}`, scopes, {
      expiryMs,
    });
    return { storageType, name, projectId, uploadId, expires, credentials };
  }

  #s3Answer(contentType: string, details: Extract<ArtifactDetails, { storageType: "s3" }>) {
    const expiresMs = this.#clock.nowMs() + this.#options.putUrlValidMs;
    const putUrl = this.#options.store.putUrl(details, { contentType, expiresMs });
    return { storageType: details.storageType, putUrl, expires: formatTimestamp(expiresMs), contentType };
  }
}

/** What the queue says of artifacts without a type of their own. */
const binary = "application/binary";

function detailsOf(
  record: TaskRecord,
  run: Run,
  { name, request }: { name: string; request: CreateArtifactRequest },
): ArtifactDetails {
  const key = `${record.taskId}/${run.runId}/${name}`;
  switch (request.storageType) {
    case "s3":
      return {
        storageType: "s3",
        bucket: isPublic(name) ? artifactBuckets.public : artifactBuckets.private,
        key,
      };
    case "object": {
      const { projectId } = record.created;
      return { storageType: "object", name: `t/${key}`, projectId, uploadId: slugid() };
    }
    case "reference":
      return { storageType: "reference", url: request.url };
    case "link":
      return { storageType: "link", artifact: request.artifact };
    case "error":
      return { storageType: "error", reason: request.reason, message: request.message };
  }
}

function requireReplaceable(present: Artifact, proposed: Artifact): void {
  const { name } = present;
  const [before, after] = [present.details.storageType, proposed.details.storageType];
  if (before !== after && !(before === "reference" && after === "link")) {
    throw conflict(`Artifact ${name} exists with storage type ${before}, not ${after}`);
  }
  if (after !== "link" && present.contentType !== proposed.contentType) {
    throw conflict(
      `Artifact ${name} exists with content type ${present.contentType}, not ${proposed.contentType}`,
    );
  }
  if (proposed.expires < present.expires) throw conflict(`Artifact ${name} exists with a later expiry`);
  if (after === "object" || after === "reference" || before !== after) return;
  if (stableJson(present.details) !== stableJson(proposed.details)) {
    throw conflict(`Artifact ${name} exists with other details`);
  }
}

function isPublic(name: string): boolean {
  return name.startsWith("public/");
}

function refused(name: string, why: string): ApiError {
  return new ApiError(400, "InputError", `Cannot create artifact ${JSON.stringify(name)}: ${why}`);
}

function conflict(message: string): ApiError {
  return new ApiError(409, "RequestConflict", message);
}
