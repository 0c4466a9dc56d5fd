/** What happens to the machine when the worker has ended (spec 01 §6.10). */

import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/error_text.ts";
import type { Config } from "../config/config.ts";
import type { WorkerLog } from "../log/worker_log.ts";
import type { Platform } from "../platform/platform.ts";
import type { Metrics } from "./metrics.ts";
import type { Supervisor } from "../runner/supervisor.ts";

export interface EndMachineOptions {
  readonly config: Config;
  readonly platform: Platform;
  readonly log: WorkerLog;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** May the worker halt the machine without sudo? */
  readonly privileged: boolean;
  /** Whoever started the worker, to be asked for the end of the machine first. */
  readonly supervisor?: Supervisor;
}

/** Reboots or halts where the exit code and the configuration say so; a failure is logged. */
export async function endMachine(exitCode: number, options: EndMachineOptions): Promise<void> {
  const { metrics, clock, platform, privileged, log, supervisor } = options;
  const end = machineEnd(exitCode, options.config);
  if (!end) return;
  metrics({ eventType: end.reboot ? "instanceReboot" : "instanceShutdown", timeMs: clock.nowMs() });
  if (!end.wanted) return;
  try {
    if (end.reboot) await platform.reboot(end.reason, { privileged });
    else if (supervisor?.shutdown()) log.info(`Asked worker-runner to shut down: ${end.reason}`);
    else await platform.shutdown(end.reason, { privileged });
  } catch (error) {
    log.error(`Could not ${end.reboot ? "reboot" : "shut down"} the machine: ${errorText(error)}`);
  }
}

interface MachineEnd {
  readonly reboot: boolean;
  readonly wanted: boolean;
  readonly reason: string;
}

function machineEnd(exitCode: number, config: Config): MachineEnd | undefined {
  switch (exitCode) {
    case 67:
      return { reboot: true, wanted: !config.disableReboots, reason: "generic-worker requested reboot" };
    case 68:
      return { reboot: false, wanted: config.shutdownMachineOnIdle, reason: "generic-worker idle timeout" };
    case 69:
      return {
        reboot: false,
        wanted: config.shutdownMachineOnInternalError,
        reason: "generic-worker internal error",
      };
    case 70:
      return { reboot: false, wanted: true, reason: "worker manager requested termination" };
    default:
      return undefined;
  }
}
