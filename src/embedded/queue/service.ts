/** The handlers of the queue service. */

import type { EmbeddedService } from "../service.ts";
import { artifactHandlers } from "./artifact_handlers.ts";
import { claimHandlers } from "./claim_handlers.ts";
import { listingHandlers } from "./listing_handlers.ts";
import type { Queue } from "./queue.ts";
import { taskHandlers } from "./task_handlers.ts";

/** The queue as a service. */
export function createQueueService(queue: Queue): EmbeddedService {
  return {
    service: "queue",
    handlers: {
      ...taskHandlers(queue),
      ...claimHandlers(queue),
      ...artifactHandlers(queue),
      ...listingHandlers(queue),
    },
  };
}
