/** Frees disk space by giving up caches, until there is enough (spec 03 §6.13). */

import type { DiskNeed } from "../../task/feature.ts";
import type { WorkerContext } from "../../task/worker_context.ts";
import { type Removal, removalsForSpace, surplusDirectories } from "./garbage.ts";
import type { WorkerCaches } from "./worker_caches.ts";

/** Never throws for what can't be removed: the next candidate is tried. */
export async function reclaimDiskSpace(
  caches: WorkerCaches,
  { worker, need }: { worker: WorkerContext; need: DiskNeed },
): Promise<void> {
  const { log, config, tasksDirectory } = worker;
  const { requiredBytes } = need;
  const enough = () => need.freeBytes() >= requiredBytes;
  await caches.discardAgain();
  if (!enough()) {
    log.info(
      `Only ${need.freeBytes()} bytes available in ${tasksDirectory} but ${requiredBytes} required. ` +
        "Garbage collecting",
    );
    for (const removal of await helpful(caches, worker)) {
      if (enough()) break;
      log.info(`Evicting cache ${removal.entries.map(({ key }) => key).join(", ")} at ${removal.location}`);
      await caches.remove(removal);
    }
  }
  if (enough()) {
    for (const removal of surplusDirectories(caches.pool.table, config.capacity)) {
      await caches.remove(removal);
    }
    return;
  }
  log.error(
    `not able to free up enough disk space - require ${requiredBytes} bytes, but only have ${need.freeBytes()} ` +
      "bytes - and nothing left to delete",
  );
}

/** What lies on another disk would be lost for nothing (weakness W-35). */
async function helpful(caches: WorkerCaches, { tasksDirectory }: WorkerContext): Promise<Removal[]> {
  const { dev } = await Deno.stat(tasksDirectory);
  const helps = new Map<string, boolean>();
  const inventory = { files: caches.files.table, directories: caches.pool.table };
  const removals = removalsForSpace(inventory);
  for (const { location } of removals) {
    const facts = await Deno.lstat(caches.absolute(location)).catch(() => undefined);
    helps.set(location, facts === undefined || facts.dev === dev);
  }
  return removals.filter(({ location }) => helps.get(location));
}
