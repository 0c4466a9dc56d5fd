/** The worker-manager service: pools, static workers and their registration, termination, and error reports. */

import type { EmbeddedService } from "./service.ts";
import type { Context, WorkerManagerOptions } from "./worker_manager/context.ts";
import { errorHandlers } from "./worker_manager/errors.ts";
import { poolHandlers } from "./worker_manager/pools.ts";
import { registrationHandlers } from "./worker_manager/registration.ts";
import { WorkerRegistry } from "./worker_manager/registry.ts";
import { seenWorkerHandlers } from "./worker_manager/seen_workers.ts";
import { workerHandlers } from "./worker_manager/workers.ts";

export type { QueueWorker, WireCredentials, WorkerManagerOptions } from "./worker_manager/context.ts";

export interface WorkerManagerService extends EmbeddedService {
  /** The same state, for tests and for the parts of the same process. */
  readonly registry: WorkerRegistry;
}

/** The worker-manager service with no pools and no workers (spec 01 §12.1). */
export function createWorkerManagerService(options: WorkerManagerOptions): WorkerManagerService {
  const registry = new WorkerRegistry(options.clock);
  const context: Context = {
    clock: options.clock,
    issueCredentials: (grant) => options.issueCredentials(grant),
    queueWorkers: (workerPoolId) => options.queueWorkers?.(workerPoolId) ?? [],
    registry,
  };
  return {
    service: "worker-manager",
    registry,
    handlers: {
      ...poolHandlers(context),
      ...workerHandlers(context),
      ...registrationHandlers(context),
      ...seenWorkerHandlers(context),
      ...errorHandlers(context),
    },
  };
}
