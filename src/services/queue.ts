/** The queue as the worker sees it. */

import type { Credentials, CredentialsSource } from "./credentials.ts";
import type { ServiceClient } from "./client.ts";
import type {
  CreateArtifactRequest,
  CreateArtifactResponse,
  ReclaimResponse,
  TaskClaim,
  TaskStatus,
} from "./queue_types.ts";

export interface CallOptions {
  /** Ends the call, a long poll or a pause between attempts included. */
  signal?: AbortSignal;
  /** No new attempt once this much time has passed; default 15 minutes (spec 01 §12.2). */
  retryForMs?: number;
}

/** Queue calls with the credentials given at each call. All throw ServiceError, or the signal's reason. */
export class Queue {
  readonly #client: ServiceClient;

  constructor(client: ServiceClient) {
    this.#client = client;
  }

  /** Up to `tasks` (≤ 32, weakness K5) claims; the queue holds the request about 20 s when it has none. */
  async claimWork(
    credentials: Credentials,
    request: { taskQueueId: string; tasks: number; workerGroup: string; workerId: string },
    options: CallOptions = {},
  ): Promise<readonly TaskClaim[]> {
    const { taskQueueId, ...body } = request;
    const answer = await this.#client.call<{ tasks: TaskClaim[] }>({
      ...options,
      service: "queue",
      name: "claimWork",
      method: "POST",
      path: ["claim-work", taskQueueId],
      body,
      credentials,
    });
    return answer.tasks;
  }

  reclaimTask(credentials: Credentials, run: RunKey, options: CallOptions = {}): Promise<ReclaimResponse> {
    return this.#runCall("reclaimTask", credentials, run, "reclaim", undefined, options);
  }

  reportCompleted(credentials: Credentials, run: RunKey, options: CallOptions = {}): Promise<unknown> {
    return this.#runCall("reportCompleted", credentials, run, "completed", undefined, options);
  }

  reportFailed(credentials: Credentials, run: RunKey, options: CallOptions = {}): Promise<unknown> {
    return this.#runCall("reportFailed", credentials, run, "failed", undefined, options);
  }

  reportException(
    credentials: Credentials,
    run: RunKey,
    reason: string,
    options: CallOptions = {},
  ): Promise<unknown> {
    return this.#runCall("reportException", credentials, run, "exception", { reason }, options);
  }

  /** Public status of a task; needs `queue:status:<taskId>` in the deployment's `anonymous` role (spec 01 §12.1). */
  async status(taskId: string, options: CallOptions = {}): Promise<TaskStatus> {
    const answer = await this.#client.call<{ status: TaskStatus }>({
      ...options,
      service: "queue",
      name: "status",
      method: "GET",
      path: ["task", taskId, "status"],
    });
    return answer.status;
  }

  createArtifact(
    credentials: CredentialsSource,
    run: RunKey,
    artifact: { name: string; request: CreateArtifactRequest },
    options: CallOptions = {},
  ): Promise<CreateArtifactResponse> {
    return this.#client.call({
      ...options,
      service: "queue",
      name: "createArtifact",
      method: "POST",
      path: ["task", run.taskId, "runs", String(run.runId), "artifacts", artifact.name],
      body: artifact.request,
      credentials,
    });
  }

  /** Makes an artifact of storage type `object` available once its upload is finished (spec 03 §3.2). */
  async finishArtifact(
    credentials: CredentialsSource,
    run: RunKey,
    artifact: { name: string; uploadId: string },
    options: CallOptions = {},
  ): Promise<void> {
    await this.#client.call({
      ...options,
      service: "queue",
      name: "finishArtifact",
      method: "PUT",
      path: ["task", run.taskId, "runs", String(run.runId), "artifacts", artifact.name],
      body: { uploadId: artifact.uploadId },
      credentials,
    });
  }

  async #runCall<T>(
    name: string,
    credentials: Credentials,
    run: RunKey,
    verb: string,
    body: unknown,
    options: CallOptions,
  ): Promise<T> {
    return await this.#client.call<T>({
      ...options,
      service: "queue",
      name,
      method: "POST",
      path: ["task", run.taskId, "runs", String(run.runId), verb],
      ...(body === undefined ? {} : { body }),
      credentials,
    });
  }
}

/** Which run of which task. */
export interface RunKey {
  readonly taskId: string;
  readonly runId: number;
}
