/** All features of a task, in the order they start; they stop in reverse (spec 01 §8.1). */

import type { Feature } from "../task/feature.ts";
import { artifactUploads } from "./artifact_uploads/mod.ts";
import { backingLog } from "./backing_log/mod.ts";
import { commandExecutor } from "./commands/mod.ts";
import { liveLog } from "./live_log/mod.ts";
import { maxRunTime } from "./max_run_time/mod.ts";
import { metadata } from "./metadata/mod.ts";
import { mounts } from "./mounts/mod.ts";
import { osGroups } from "./os_groups/mod.ts";
import { payloadValidator } from "./payload_validator/mod.ts";
import { resourceMonitor } from "./resource_monitor/mod.ts";
import { taskTimer } from "./task_timer/mod.ts";
import { taskclusterProxy } from "./taskcluster_proxy/mod.ts";
import { unavailableFeatures } from "./unavailable/mod.ts";

export const features: readonly Feature[] = [
  backingLog,
  payloadValidator,
  ...unavailableFeatures,
  liveLog,
  taskclusterProxy,
  osGroups,
  mounts,
  resourceMonitor,
  metadata,
  artifactUploads,
  maxRunTime,
  taskTimer,
  commandExecutor,
];
