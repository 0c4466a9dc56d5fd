/** The mounts of a payload, told apart by what they ask for (spec 03 §6.2). */

import { TaskException } from "../../task/errors.ts";
import { type Content, readContent } from "./content.ts";

/** One entry of `payload.mounts`. Paths are as written in the payload. */
export type Mount = WritableCache | ReadOnlyDirectory | FileMount;

/** A directory that outlives the task. */
export interface WritableCache {
  readonly kind: "cache";
  readonly directory: string;
  readonly cacheName: string;
  /** What a cache that is made anew starts with. */
  readonly preload?: Archive;
}

/** A directory filled from an archive. */
export interface ReadOnlyDirectory {
  readonly kind: "directory";
  readonly directory: string;
  readonly archive: Archive;
}

export interface FileMount {
  readonly kind: "file";
  readonly file: string;
  readonly content: Content;
  /** Compression to undo. */
  readonly format?: string;
}

/** An archive of a format of spec 02 §1.6. */
export interface Archive {
  readonly content: Content;
  readonly format: string;
}

type Entry = Readonly<Record<string, unknown>>;

/**
 * Reads `payload.mounts` in order.
 *
 * @throws TaskException malformed-payload for an entry that is none of the three kinds
 */
export function readMounts(entries: readonly Entry[]): Mount[] {
  return entries.map(readMount);
}

function readMount(entry: Entry): Mount {
  const { cacheName, directory, file, format } = entry;
  if (isText(cacheName) && isText(directory)) {
    const preload = isPresent(entry["content"]) ? { preload: archiveOf(entry) } : {};
    return { kind: "cache", directory, cacheName, ...preload };
  }
  if (isText(directory)) return { kind: "directory", directory, archive: archiveOf(entry) };
  if (isText(file)) {
    return {
      kind: "file",
      file,
      content: readContent(entry["content"]),
      ...(isText(format) ? { format } : {}),
    };
  }
  throw unrecognised(entry);
}

function archiveOf(entry: Entry): Archive {
  const { format } = entry;
  if (!isText(format)) throw unrecognised(entry);
  return { content: readContent(entry["content"]), format };
}

function unrecognised(entry: Entry): TaskException {
  return new TaskException(
    "malformed-payload",
    `[mounts] unrecognised mount entry in payload - ${JSON.stringify(entry)}`,
  );
}

/** The content of a mount, if it has any. */
export function contentOf(mount: Mount): Content | undefined {
  if (mount.kind === "file") return mount.content;
  return mount.kind === "directory" ? mount.archive.content : mount.preload?.content;
}

/** What a task must hold to use these mounts (spec 03 §6.3); access to artifacts is the queue's business. */
export function cacheScopes(mounts: readonly Mount[]): string[] {
  return mounts.flatMap((mount) => mount.kind === "cache" ? [`generic-worker:cache:${mount.cacheName}`] : []);
}

/**
 * A task whose artifact is mounted must be a dependency, so that it has ended when this one starts.
 *
 * @throws TaskException malformed-payload naming the first that is not
 */
export function requireDependencies(mounts: readonly Mount[], dependencies: readonly string[]): void {
  for (const mount of mounts) {
    const content = contentOf(mount);
    if (content?.kind !== "artifact" || dependencies.includes(content.taskId)) continue;
    throw new TaskException(
      "malformed-payload",
      `[mounts] task.dependencies needs to include ${content.taskId} since one or more of its artifacts are mounted`,
    );
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
