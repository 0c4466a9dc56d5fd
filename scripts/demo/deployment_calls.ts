/** The calls of a Taskcluster's queue that the demo makes, over HTTP as any client does. */

import { ServiceClient } from "../../src/services/client.ts";
import type { Credentials } from "../../src/services/credentials.ts";
import type { TaskStatus } from "../../src/services/queue_types.ts";

/** What the queue tells of an artifact. */
export interface ListedArtifact {
  readonly name: string;
  readonly storageType: string;
  readonly contentType: string;
}

export class QueueCalls {
  readonly #client: ServiceClient;
  readonly #rootUrl: string;
  readonly #credentials: Credentials;

  constructor({ rootUrl, credentials }: { rootUrl: string; credentials: Credentials }) {
    this.#client = new ServiceClient({ rootUrl });
    this.#rootUrl = rootUrl;
    this.#credentials = credentials;
  }

  /** @throws ServiceError */
  async createTask(taskId: string, definition: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#client.call({
      service: "queue",
      name: "createTask",
      method: "PUT",
      path: ["task", taskId],
      body: definition,
      credentials: this.#credentials,
    });
  }

  /** @throws ServiceError */
  async status(taskId: string): Promise<TaskStatus> {
    const answer = await this.#client.call<{ status: TaskStatus }>({
      service: "queue",
      name: "status",
      method: "GET",
      path: ["task", taskId, "status"],
    });
    return answer.status;
  }

  /** Artifacts of run 0. @throws ServiceError */
  async artifacts(taskId: string): Promise<readonly ListedArtifact[]> {
    const answer = await this.#client.call<{ artifacts: ListedArtifact[] }>({
      service: "queue",
      name: "listArtifacts",
      method: "GET",
      path: ["task", taskId, "runs", "0", "artifacts"],
      credentials: this.#credentials,
    });
    return answer.artifacts;
  }

  /** Where anybody can read a public artifact of run 0. */
  artifactUrl(taskId: string, name: string): string {
    return `${this.#rootUrl}/api/queue/v1/task/${taskId}/runs/0/artifacts/${name}`;
  }
}
