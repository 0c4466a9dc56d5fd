/** Finds and uploads all artifacts of a payload, several at a time (spec 03 §3.1). */

import { ContentTypes } from "../../artifacts/content_type.ts";
import { discoverArtifacts, type Found } from "../../artifacts/discover.ts";
import { TaskException, TaskFailure } from "../../task/errors.ts";
import type { Outcome } from "../../task/outcome.ts";
import { failUpload, uploadData, uploadError } from "../../task/publish_artifact.ts";
import type { TaskRun } from "../../task/task_run.ts";

const uploadsAtATime = 10;

/**
 * Uploads data as it is found, then the errors. Each problem ends up in `outcome`: those of data first, and in
 * the order of discovery, so that the same task always ends the same way (weakness W-18).
 *
 * @throws the first error that is a bug in the worker, after everything else is done
 */
export async function uploadPayloadArtifacts(task: TaskRun, outcome: Outcome): Promise<void> {
  const collector = new Collector(task, outcome);
  const found = discover(task);
  const uploaders = Array.from({ length: uploadsAtATime }, () => uploadFrom(found, collector));
  await Promise.all(uploaders);
  await collector.uploadRest();
  collector.recordProblems();
}

function discover(task: TaskRun): AsyncGenerator<Found, void, void> {
  const { context } = task;
  return discoverArtifacts({
    entries: task.payload.artifacts,
    taskDirectory: context.directory,
    files: context.files,
    asTaskUser: context.identity !== undefined,
    task: task.definition,
    types: new ContentTypes(),
    isReserved: (name) => task.reservedArtifacts.has(name),
  });
}

/** Takes what comes next until nothing does; several of these share one discovery. */
async function uploadFrom(found: AsyncGenerator<Found, void, void>, collector: Collector): Promise<void> {
  try {
    for (let next = await found.next(); !next.done; next = await found.next()) {
      await collector.take(next.value);
    }
  } catch (error) {
    collector.note(error);
  }
}

/** Everything but data waits for the end: without content there is no hurry. */
class Collector {
  readonly #task: TaskRun;
  readonly #outcome: Outcome;
  readonly #rest: Found[] = [];
  readonly #problems: { readonly order: number; readonly error: unknown }[] = [];
  #taken = 0;

  constructor(task: TaskRun, outcome: Outcome) {
    this.#task = task;
    this.#outcome = outcome;
  }

  async take(found: Found): Promise<void> {
    const order = this.#taken++;
    if (found.kind !== "data") return void this.#rest.push(found);
    const { artifact, file, optional } = found;
    try {
      if (this.#task.lostSignal.aborted) return;
      const upload = { artifact, optional, source: file, sizeBytes: file.facts.sizeBytes };
      await this.#noting(order, () => uploadData(this.#task, upload));
    } finally {
      file.close();
    }
  }

  /** Something that must not happen did; the others go on. */
  note(error: unknown): void {
    this.#problems.push({ order: this.#taken++, error });
  }

  async uploadRest(): Promise<void> {
    for (const found of this.#rest) {
      if (this.#task.lostSignal.aborted) return;
      await this.#noting(this.#taken++, () => this.#settle(found));
    }
  }

  /** @throws the first that is none of ours */
  recordProblems(): void {
    const inOrder = this.#problems.toSorted((a, b) => a.order - b.order).map(({ error }) => error);
    for (const error of inOrder.filter(isOurs)) this.#outcome.add(error);
    const bugs = inOrder.filter((error) => !isOurs(error));
    if (bugs.length > 0) throw bugs[0];
  }

  async #settle(found: Found): Promise<void> {
    const { log, workerLog } = this.#task;
    switch (found.kind) {
      case "data":
        return;
      case "error":
        return await uploadError(this.#task, found);
      case "reserved":
        return log.warn(reservedLine(found.name, this.#task.reservedArtifacts.get(found.name)));
      case "unpublishable":
        if (found.optional) return workerLog.info(found.message);
        return failUpload(this.#task, found.message);
      case "conflict":
        if (found.optional) return log.warn(found.message);
        throw new TaskException("malformed-payload", found.message);
    }
  }

  async #noting(order: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#problems.push({ order, error });
    }
  }
}

function isOurs(error: unknown): boolean {
  return error instanceof TaskException || error instanceof TaskFailure;
}

function reservedLine(name: string, feature: string | undefined): string {
  return `Not uploading artifact ${name} found in task.payload.artifacts section, ` +
    `since this will be uploaded later by ${feature}`;
}
