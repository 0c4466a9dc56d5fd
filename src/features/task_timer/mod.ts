/** The closing lines of a task's log: the commands are over, and how long they took (spec 02 §7.1). */

import { formatDuration } from "../../base/duration.ts";
import type { Feature } from "../../task/feature.ts";

export const taskTimer: Feature = {
  name: "Task Timer",
  requested: () => true,
  start(task) {
    const { clock } = task.worker;
    const startedMs = clock.monotonicMs();
    return Promise.resolve(() => {
      task.log.info("=== Task Finished ===");
      task.log.info(`Task Duration: ${formatDuration(clock.monotonicMs() - startedMs)}`);
    });
  },
};
