/** The parts of the queue's requests and answers that the worker uses (shared/reference: schemas/queue/v1). */

export interface TaskDefinition {
  readonly taskQueueId?: string;
  readonly provisionerId: string;
  readonly workerType: string;
  readonly schedulerId: string;
  readonly taskGroupId: string;
  readonly dependencies: readonly string[];
  readonly requires: string;
  readonly routes: readonly string[];
  readonly priority: string;
  readonly retries: number;
  readonly created: string;
  readonly deadline: string;
  readonly expires: string;
  readonly scopes: readonly string[];
  readonly payload: Record<string, unknown>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly extra: Readonly<Record<string, unknown>>;
}

export interface RunStatus {
  readonly runId: number;
  readonly state: "pending" | "running" | "completed" | "failed" | "exception";
  readonly reasonCreated: string;
  readonly reasonResolved?: string;
  readonly workerGroup?: string;
  readonly workerId?: string;
  readonly takenUntil?: string;
}

export interface TaskStatus {
  readonly taskId: string;
  readonly state: string;
  readonly deadline: string;
  readonly expires: string;
  readonly retriesLeft: number;
  readonly runs: readonly RunStatus[];
}

export interface WireCredentials {
  readonly clientId: string;
  readonly accessToken: string;
  readonly certificate?: string;
}

export interface TaskClaim {
  readonly status: TaskStatus;
  readonly runId: number;
  readonly workerGroup: string;
  readonly workerId: string;
  readonly takenUntil: string;
  readonly task: TaskDefinition;
  readonly credentials: WireCredentials;
}

export type ArtifactErrorReason =
  | "file-missing-on-worker"
  | "invalid-resource-on-worker"
  | "too-large-file-on-worker"
  | "file-not-readable-on-worker";

/** Body of `queue.createArtifact` (spec 03 §3.2). */
export type CreateArtifactRequest =
  | { storageType: "s3"; expires: string; contentType: string; contentLength?: number }
  | { storageType: "object"; expires: string; contentType: string }
  | { storageType: "reference"; expires: string; contentType: string; url: string }
  | { storageType: "link"; expires: string; contentType?: string; artifact: string }
  | { storageType: "error"; expires: string; reason: ArtifactErrorReason; message: string };

export type CreateArtifactResponse =
  | { storageType: "s3"; putUrl: string; expires: string; contentType: string }
  | {
    storageType: "object";
    name: string;
    projectId: string;
    uploadId: string;
    expires: string;
    credentials: WireCredentials;
  }
  | { storageType: "reference" | "link" | "error" };

export interface ReclaimResponse {
  readonly status: TaskStatus;
  readonly runId: number;
  readonly takenUntil: string;
  readonly credentials: WireCredentials;
}
