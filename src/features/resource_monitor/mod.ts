/** Shows how much of the machine's memory was used, and ends a task before the machine runs out (spec 02 §10.1). */

import type { Feature } from "../../task/feature.ts";
import { isAskedFor } from "../../task/asked_for.ts";
import { notEnabled } from "../../task/not_enabled.ts";
import { CommandMonitor } from "./command_monitor.ts";

const name = "Resource Monitor";

/** On by default; a pool that has it switched off refuses only tasks that ask for it by name (weakness K6). */
export const resourceMonitor: Feature = {
  name,
  requested: (task) =>
    task.payload.features["resourceMonitor"] === true &&
    (task.worker.config.enableResourceMonitor || isAskedFor(task, "resourceMonitor")),
  disabled: ({ config }) => config.enableResourceMonitor ? undefined : notEnabled(name, config),
  start(task) {
    task.commandWatchers.push((process) => {
      const monitor = new CommandMonitor(task, process);
      monitor.run().catch((error) => task.worker.reportCrash("monitoring the memory", error));
      return () => monitor.finish();
    });
    return Promise.resolve();
  },
};
