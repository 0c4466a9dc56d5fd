/** What publishing needs to know of the run an artifact belongs to. */

import type { Clock } from "../base/clock.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { ServiceClient } from "../services/client.ts";
import type { Credentials } from "../services/credentials.ts";
import type { Queue, RunKey } from "../services/queue.ts";
import type { UploadSlots } from "./upload_slots.ts";

/** A task run is one of these. */
export interface ArtifactRun extends RunKey {
  readonly worker: {
    readonly queue: Queue;
    readonly clock: Clock;
    readonly config: { readonly rootURL: string; readonly createObjectArtifacts: boolean };
    readonly client: ServiceClient;
    readonly uploadSlots?: UploadSlots;
    readonly compressionSlots?: UploadSlots;
  };
  readonly workerLog: WorkerLog;
  /** For temporary files; out of the task's reach. */
  readonly privateDirectory: string;
  /** Aborts when nothing sent to the queue about the run can count any more. */
  readonly lostSignal: AbortSignal;
  /** As of the latest claim or reclaim. */
  credentials(): Credentials;
}
