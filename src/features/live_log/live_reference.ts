/** The address under which a running task's log is found: made in the background, given up when the task ends. */

import type { ArtifactRun } from "../../artifacts/artifact_run.ts";
import { expiryAfter } from "../../artifacts/expiry.ts";
import { publishReference } from "../../artifacts/publish.ts";
import { errorText } from "../../base/error_text.ts";
import { LinkedSignal } from "../../base/linked_signal.ts";
import type { TaskRun } from "../../task/task_run.ts";
import type { ServedLog } from "./serve_log.ts";
import { publicHost, usesOtherProgram, wantsTunnel } from "./settings.ts";

/** How long the address stays valid after the longest time the task may take (spec 04 §3.1). */
const afterwardsMs = 900_000;
/** For an announcement under way when the task ends; the queue may be out of reach. */
const patienceMs = 5_000;

/** Best effort: whatever fails is a warning in the worker's log, and the task goes on (weaknesses LF-4, LF-5). */
export class LiveReference {
  readonly #task: TaskRun;
  readonly #ended = new AbortController();
  readonly #made: Promise<ServedLog | undefined>;
  readonly #published: Promise<void>;

  /** Starts at once, in the background. */
  constructor(task: TaskRun) {
    this.#task = task;
    this.#made = this.#serve();
    this.#published = this.#publish();
  }

  /** Lets nobody new in. Settles when the ports of the slot are free. Never rejects. */
  async closePorts(): Promise<void> {
    await (await this.#made)?.close();
  }

  /** Settles when the announcement is over, so that what replaces it comes after it. Never rejects. */
  async settle(): Promise<void> {
    const waited = new AbortController();
    const waiting = this.#task.worker.clock.sleep(patienceMs, waited.signal);
    await Promise.race([this.#published, waiting]);
    waited.abort();
    this.#ended.abort(new Error("The task has ended"));
    await this.#published;
  }

  /** Settles when all readers have the whole log, or had time enough. Never rejects. */
  async served(): Promise<void> {
    await (await this.#made)?.finished;
  }

  async #serve(): Promise<ServedLog | undefined> {
    const { worker: { config }, workerLog } = this.#task;
    if (wantsTunnel(config)) {
      workerLog.warn("No live log: this version of the worker has no websocktunnel client");
      return undefined;
    }
    const host = publicHost(config);
    if (host === undefined) {
      workerLog.warn("No live log: publicIP is not set, so that nobody could reach it");
      return undefined;
    }
    if (usesOtherProgram(config)) {
      workerLog.warn(
        `The live log is served by the worker itself, not by ${config.livelogExecutable} (livelogExecutable)`,
      );
    }
    try {
      // Loaded when the first task needs it.
      const { serveLog } = await import("./serve_log.ts");
      return serveLog(this.#task, host);
    } catch (error) {
      workerLog.warn(`No live log: ${errorText(error)}`);
      return undefined;
    }
  }

  async #publish(): Promise<void> {
    const { workerLog, worker: { clock, client }, definition, payload } = this.#task;
    const served = await this.#made;
    if (!served) return;
    using given = new LinkedSignal([this.#task.lostSignal, this.#ended.signal]);
    const nowMs = clock.nowMs() + client.clockSkewMs;
    try {
      await publishReference(runUntil(this.#task, given.signal), {
        name: payload.logs.live,
        url: served.url.reveal(),
        hidden: true,
        contentType: "text/plain; charset=utf-8",
        expires: expiryAfter(payload.maxRunTime * 1000 + afterwardsMs, { nowMs, task: definition }),
      });
    } catch (error) {
      if (this.#task.lostSignal.aborted) return;
      // What the queue says may repeat what it was sent.
      const why = this.#ended.signal.aborted ? "the task ended before" : served.hide(errorText(error));
      workerLog.warn(`Could not publish the address of the live log: ${why}`);
    }
  }
}

/** The run, with another end for what is published. */
function runUntil(task: TaskRun, lostSignal: AbortSignal): ArtifactRun {
  const { taskId, runId, worker, workerLog, privateDirectory } = task;
  return {
    taskId,
    runId,
    worker,
    workerLog,
    privateDirectory,
    lostSignal,
    credentials: () => task.credentials(),
  };
}
