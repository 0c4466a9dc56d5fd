/** Puts what a task published into a folder, as its readers would get it. */

import { createReadStream, createWriteStream } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { errorText } from "../../base/error_text.ts";
import type { OpenArtifact, QueueView } from "../../embedded/mod.ts";

/** Name of the worker's own log in the folder; no artifact takes its place. */
export const workerLogName = "worker.log";

/** One artifact, for the summary. */
export interface SavedArtifact {
  readonly name: string;
  readonly storageType: string;
  readonly contentType: string;
  /** Where its bytes are now; absent for links, references and errors, and when they could not be saved. */
  readonly path?: string;
  readonly sizeBytes?: number;
  /** Why there is no `path`. */
  readonly note?: string;
}

type Outcome = Pick<SavedArtifact, "path" | "sizeBytes" | "note">;

/**
 * Writes every artifact that has bytes below `directory`, decoded. One that can't be written, since its name leads
 * out of the folder or to another artifact's place, gets a note; the others are written all the same.
 */
export async function saveArtifacts(
  queue: QueueView,
  { taskId, directory }: { taskId: string; directory: string },
): Promise<SavedArtifact[]> {
  const saved: SavedArtifact[] = [];
  const taken = new Set([join(directory, workerLogName)]);
  for (const { name, storageType, contentType } of queue.artifacts(taskId)) {
    const outcome = noteOf(queue, { taskId, name }) ??
      await save(queue.stored(taskId, name), { path: pathFor(directory, name), taken });
    saved.push({ name, storageType, contentType, ...outcome });
  }
  return saved;
}

/** What stands for the bytes of an artifact that has none of its own. */
function noteOf(queue: QueueView, { taskId, name }: { taskId: string; name: string }): Outcome | undefined {
  const { details } = queue.artifact(taskId, name);
  if (details.storageType === "link") return { note: `same as ${details.artifact}` };
  if (details.storageType === "reference") return { note: `at ${details.url}` };
  if (details.storageType === "error") return { note: `${details.reason}: ${details.message}` };
  return undefined;
}

async function save(
  stored: OpenArtifact | undefined,
  { path, taken }: { path: string | undefined; taken: Set<string> },
): Promise<Outcome> {
  if (!stored) return { note: "nothing was uploaded" };
  if (path === undefined) return { note: "not saved: its name leads out of the folder" };
  if (taken.has(path)) return { note: `not saved: ${path} is taken` };
  taken.add(path);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const decode = stored.contentEncoding === "gzip" ? [createGunzip()] : [];
    await pipeline([createReadStream(stored.path), ...decode, createWriteStream(path)]);
    return { path, sizeBytes: (await Deno.stat(path)).size };
  } catch (error) {
    return { note: `not saved: ${errorText(error)}` };
  }
}

/** Artifact names are made by tasks, so they may not lead anywhere else. */
function pathFor(directory: string, name: string): string | undefined {
  const relative = normalize(name);
  const leadsOut = relative.startsWith("/") || relative.split("/").includes("..") || relative === ".";
  return leadsOut || name.endsWith("/") ? undefined : join(directory, relative);
}
