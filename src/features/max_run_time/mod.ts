/** Ends commands that take longer than the payload allows (spec 02 §7.2). */

import { TaskException, TaskFailure } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";

/** Times the commands only: it starts after set-up and stops before uploads. */
export const maxRunTime: Feature = {
  name: "Max Run Time",
  requested: () => true,
  start(task) {
    const { maxRunTime: allowedSecs } = task.payload;
    const { maxTaskRunTime } = task.worker.config;
    if (allowedSecs > maxTaskRunTime) {
      throw new TaskException(
        "malformed-payload",
        `task's maxRunTime of ${allowedSecs} exceeded allowed maximum of ${maxTaskRunTime}`,
      );
    }
    const disarm = new AbortController();
    const endMs = task.worker.clock.monotonicMs() + allowedSecs * 1000;
    const expire = async () => {
      while (!disarm.signal.aborted) {
        const leftMs = endMs - task.worker.clock.monotonicMs();
        if (leftMs <= 0) return task.abort(new TaskFailure("task aborted - max run time exceeded"));
        await task.worker.clock.sleep(leftMs, disarm.signal);
      }
    };
    const expiry = expire();
    return Promise.resolve(async () => {
      disarm.abort();
      await expiry;
    });
  },
};
