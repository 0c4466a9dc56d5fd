/** What the worker hands to every run it starts. */

import type { UploadSlots } from "../artifacts/upload_slots.ts";
import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/config.ts";
import type { Engine } from "../engine/engine.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Platform } from "../platform/platform.ts";
import type { ServiceClient } from "../services/client.ts";
import type { Credentials } from "../services/credentials.ts";
import type { Queue } from "../services/queue.ts";
import type { WorkerMemory } from "./worker_memory.ts";

export interface WorkerContext {
  readonly config: Config;
  readonly platform: Platform;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: WorkerLog;
  readonly client: ServiceClient;
  readonly queue: Queue;
  /** Limits the uploads of all runs together; absent: each run has only its own limit. */
  readonly uploadSlots?: UploadSlots;
  /** Limits the threads that compress large artifacts of all runs; absent: no limit. */
  readonly compressionSlots?: UploadSlots;
  /** The worker's own credentials, as they are now. */
  credentials(): Credentials;
  /** The worker's own directory, where its state files and each run's private files lie. Absolute. */
  readonly directory: string;
  /** Parent of the task directories. Absolute. */
  readonly tasksDirectory: string;
  /** What features keep from one task to the next. */
  readonly memory: WorkerMemory<WorkerContext>;
  /** The payload schema of this build, as data. */
  readonly payloadSchema: Readonly<Record<string, unknown>>;
  /** Told of a crash in a run, so that it reaches the crash report. */
  reportCrash(where: string, error: unknown): void;
}
