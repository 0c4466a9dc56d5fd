/** Ctrl-C and SIGTERM: the first one ends the worker in good order, the second at once (spec 01 §6.6). */

import type { Platform } from "../platform/platform.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Termination } from "./termination.ts";

const requests = {
  SIGTERM: { exitCode: 72, finishTasks: false },
  SIGINT: { exitCode: 71, finishTasks: true },
} as const;

/**
 * Listens from now on. A second signal kills what the tasks run and ends the process at once (weakness K2).
 *
 * @returns stops listening
 */
export function terminateOnSignals(
  termination: Termination,
  options: { platform: Platform; log: WorkerLog },
): () => void {
  const handlers = (["SIGTERM", "SIGINT"] as const).map((signal) => {
    const handle = () => {
      if (termination.request({ reason: signal, ...requests[signal] })) return;
      options.log.warn(`${signal} again: killing the running tasks and ending at once`);
      options.platform.killEverything();
      Deno.exit(requests[signal].exitCode);
    };
    Deno.addSignalListener(signal, handle);
    return () => Deno.removeSignalListener(signal, handle);
  });
  return () => handlers.forEach((remove) => remove());
}
