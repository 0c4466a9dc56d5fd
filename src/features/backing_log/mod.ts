/** The task's log: its header, its last line, and its publication (spec 01 §8.1, spec 03 §5). */

import { join } from "node:path";
import { startGzipFollower } from "../../log/gzip_follower.ts";
import { TaskException } from "../../task/errors.ts";
import type { Feature } from "../../task/feature.ts";
import type { Outcome } from "../../task/outcome.ts";
import { type LogContent, publishesRawLogs, uploadLog } from "../../task/publish_artifact.ts";
import type { TaskRun } from "../../task/task_run.ts";
import { logHeader } from "./header.ts";
import { reserveRoom } from "./reserve.ts";

/** First to start and last to stop, so that the log tells the whole run. */
export const backingLog: Feature = {
  name: "Backing Log",
  publisherName: "Backing log",
  requested: () => true,
  reservedArtifacts: (task) => published(task) ? [task.payload.logs.backing] : [],
  start(task) {
    const handBack = reserveRoom(task);
    const compressed = publishesRawLogs(task)
      ? undefined
      : startGzipFollower(task.log, join(task.privateDirectory, "live_backing.log.gz"));
    for (const line of logHeader(task)) task.log.info(line);
    return Promise.resolve(async (outcome) => {
      handBack();
      sayWhatIsMissing(task, outcome);
      if (outcome.first) task.log.error(outcome.first.message);
      task.log.close();
      if (!published(task)) return await compressed?.discard();
      const content = await compressed?.finish() ?? rawContent(task);
      await uploadLog(task, { name: task.payload.logs.backing, content });
    });
  },
};

function rawContent({ log: { path, sizeBytes } }: TaskRun): LogContent {
  return { kind: "raw", path, sizeBytes };
}

function published(task: TaskRun): boolean {
  return task.payload.features["backingLog"] === true;
}

/** A log that lost bytes (full disk) must not pass for a complete one. */
function sayWhatIsMissing(task: TaskRun, outcome: Outcome): void {
  const { lost } = task.log;
  if (!lost) return;
  outcome.add(
    new TaskException(
      "internal-error",
      `${lost.bytes} bytes of this log are missing, since they could not be written: ${lost.reason}`,
    ),
  );
}
