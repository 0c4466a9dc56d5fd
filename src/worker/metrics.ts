/** `WORKER_METRICS` lines of the worker log (spec 01 §10.2). */

import { stableJsonLine } from "../base/stable_json.ts";
import type { Config } from "../config/config.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import { poolId } from "../task/not_enabled.ts";

export type MetricEvent =
  | "instanceBoot"
  | "workerReady"
  | "taskQueued"
  | "taskStart"
  | "taskFinish"
  | "instanceReboot"
  | "instanceShutdown";

export interface Metric {
  readonly eventType: MetricEvent;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly run?: { readonly taskId: string; readonly runId: number };
}

/** Says one metric. */
export type Metrics = (metric: Metric) => void;

export function metricsTo(log: WorkerLog, config: Config): Metrics {
  return ({ eventType, timeMs, run }) => {
    const line = {
      eventType,
      instanceType: config.instanceType,
      region: config.region,
      timestamp: Math.floor(timeMs / 1000),
      worker: "generic-worker",
      workerId: config.workerId,
      workerPoolId: poolId(config),
      ...(run ? { runId: run.runId, taskId: run.taskId } : {}),
    };
    log.info(`WORKER_METRICS ${stableJsonLine(line)}`);
  };
}
