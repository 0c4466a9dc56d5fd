/** Watches the machine's memory while one command runs. */

import { formatByteSize } from "../../base/byte_size.ts";
import { formatDuration } from "../../base/duration.ts";
import type { MemoryFacts, SpawnedProcess } from "../../platform/platform.ts";
import { TaskFailure } from "../../task/errors.ts";
import type { ResultLine, TaskRun } from "../../task/task_run.ts";
import { type LimitState, MemoryLimit } from "./memory_limit.ts";
import { MemoryStatistics } from "./memory_statistics.ts";

const sampleEveryMs = 500;

export class CommandMonitor {
  readonly #task: TaskRun;
  readonly #process: SpawnedProcess;
  readonly #statistics = new MemoryStatistics();
  readonly #limit: MemoryLimit;
  readonly #stop = new AbortController();

  constructor(task: TaskRun, process: SpawnedProcess) {
    const { config } = task.worker;
    this.#task = task;
    this.#process = process;
    this.#limit = new MemoryLimit({
      maxUsagePercent: config.maxMemoryUsagePercent,
      minAvailableBytes: config.minAvailableMemoryBytes,
      allowedMs: config.allowedHighMemoryDurationSecs * 1_000,
    });
  }

  /** Samples until `finish`, the first time half a second from now. */
  async run(): Promise<void> {
    const { clock } = this.#task.worker;
    while (true) {
      await clock.sleep(sampleEveryMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#sample();
    }
  }

  /** Stops sampling; the lines for the command's result block. */
  finish(): readonly ResultLine[] {
    this.#stop.abort();
    return this.#statistics.lines();
  }

  #sample(): void {
    const { platform, clock } = this.#task.worker;
    let sample: MemoryFacts;
    try {
      sample = platform.memory();
    } catch {
      // A figure that can't be read now is no reason to disturb a task.
      return;
    }
    this.#statistics.add(sample);
    this.#act(this.#limit.judge(sample, clock.monotonicMs()), sample);
  }

  #act(state: LimitState, sample: MemoryFacts): void {
    if (state === "below" || this.#task.signal.aborted) return;
    const { log, worker: { config } } = this.#task;
    const limits = `${config.maxMemoryUsagePercent}% and available memory less than ${
      formatByteSize(config.minAvailableMemoryBytes)
    }`;
    if (state === "crossed") {
      const allowed = formatDuration(config.allowedHighMemoryDurationSecs * 1_000);
      log.warn(`Memory usage above ${limits} persisted for over ${allowed}!`);
    }
    if (config.disableOOMProtection) {
      if (state === "crossed") log.warn("OOM protections are disabled, continuing task...");
      return;
    }
    const innocent = this.#innocence(sample);
    if (innocent === undefined) {
      this.#task.abort(new TaskFailure(`task aborted due to sustained memory usage above ${limits}`));
    } else if (state === "crossed") {
      log.warn(innocent);
    }
  }

  /**
   * The shortage is the machine's. Where other tasks run beside this one, a task that uses less than half of an
   * equal share of the used memory is not its cause and goes on (weakness 02 §12.30). Why it goes on; undefined when
   * it must end.
   */
  #innocence({ totalBytes, availableBytes }: MemoryFacts): string | undefined {
    const { platform, config: { capacity } } = this.#task.worker;
    if (capacity <= 1) return undefined;
    const ownBytes = platform.groupMemoryBytes(this.#process.pid);
    if (ownBytes >= (totalBytes - availableBytes) / capacity / 2) return undefined;
    return `This command uses only ${formatByteSize(ownBytes)} of it, continuing task...`;
  }
}
