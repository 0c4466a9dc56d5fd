/** Puts what a task published into a folder, as its readers would get it. */

import { createWriteStream } from "node:fs";
import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { QueueView } from "../../embedded/mod.ts";

/** One artifact, for the summary. */
export interface SavedArtifact {
  readonly name: string;
  readonly storageType: string;
  readonly contentType: string;
  /** Where its bytes are now; absent for links, references and errors. */
  readonly path?: string;
  readonly sizeBytes?: number;
  /** Why there are no bytes. */
  readonly note?: string;
}

/** Writes every artifact that has bytes below `directory`, decoded. */
export async function saveArtifacts(
  queue: QueueView,
  { taskId, directory }: { taskId: string; directory: string },
): Promise<SavedArtifact[]> {
  const saved: SavedArtifact[] = [];
  for (const artifact of queue.artifacts(taskId)) {
    const { name, storageType, contentType } = artifact;
    const facts = { name, storageType, contentType };
    saved.push({ ...facts, ...await save(queue, { taskId, directory, name }) });
  }
  return saved;
}

async function save(
  queue: QueueView,
  { taskId, directory, name }: { taskId: string; directory: string; name: string },
): Promise<Pick<SavedArtifact, "path" | "sizeBytes" | "note">> {
  const { details } = queue.artifact(taskId, name);
  if (details.storageType === "link") return { note: `same as ${details.artifact}` };
  if (details.storageType === "reference") return { note: `at ${details.url}` };
  if (details.storageType === "error") return { note: `${details.reason}: ${details.message}` };
  const stored = queue.stored(taskId, name);
  if (!stored) return { note: "nothing was uploaded" };
  const path = pathFor(directory, name);
  if (path === undefined) return { note: "its name leads out of the folder" };
  await mkdir(dirname(path), { recursive: true });
  const decode = stored.contentEncoding === "gzip" ? [createGunzip()] : [];
  await pipeline([createReadStream(stored.path), ...decode, createWriteStream(path)]);
  return { path, sizeBytes: (await Deno.stat(path)).size };
}

/** Artifact names are made by tasks, so they may not lead anywhere else. */
function pathFor(directory: string, name: string): string | undefined {
  const relative = normalize(name);
  const leadsOut = relative.startsWith("/") || relative.split("/").includes("..") || relative === ".";
  return leadsOut || name.endsWith("/") ? undefined : join(directory, relative);
}
