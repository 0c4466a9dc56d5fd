/** Artifact names that features publish themselves (spec 01 §8.4). */

import { TaskException } from "./errors.ts";
import type { Feature } from "./feature.ts";
import type { TaskRun } from "./task_run.ts";

/**
 * Fills `task.reservedArtifacts` with the names of the started features and of `feature`. Names depend on the
 * payload, so they are worked out anew each time: the default backing log name is free as soon as the payload
 * gives another (weakness K26).
 *
 * @throws TaskException malformed-payload when two features want one name
 */
export function reserveArtifacts(
  task: TaskRun,
  { feature, started }: { feature: Feature; started: readonly Feature[] },
): void {
  task.reservedArtifacts.clear();
  for (const owner of [...started, feature]) {
    for (const name of owner.reservedArtifacts?.(task) ?? []) {
      const holder = task.reservedArtifacts.get(name);
      if (holder !== undefined) throw new TaskException("malformed-payload", clash({ name, owner, holder }));
      task.reservedArtifacts.set(name, owner.publisherName ?? owner.name);
    }
  }
}

function clash({ name, owner, holder }: { name: string; owner: Feature; holder: string }): string {
  return `Feature "${owner.name}" wishes to publish artifact ${name} but feature ${holder} has already reserved ` +
    "this artifact name";
}
