/**
 * Finds what the payload's artifacts are made of, file by file, while earlier ones are on their way (spec 03 §2).
 *
 * The order is that of the payload, and lexical within a directory (weakness W-18). A file stays open from here
 * until it has been sent, so that what is published is what was checked.
 */

import { isAbsolute, join } from "node:path";
import { errorText } from "../base/error_text.ts";
import { type TaskFile, TaskFileError, type TaskFiles } from "../engine/engine.ts";
import type { ArtifactErrorReason } from "../services/queue_types.ts";
import type { ContentEncoding, DataArtifact, ErrorArtifact } from "./artifact.ts";
import { canonicalName, isPublishableName, nameInDirectory, publishableNames } from "./artifact_name.ts";
import { encodingOf } from "./content_encoding.ts";
import type { ContentTypes } from "./content_type.ts";
import { effectiveExpiry, type TaskTimes } from "./expiry.ts";
import { type Claim, NameRegistry } from "./name_registry.ts";

/** An entry of `payload.artifacts`. */
export interface ArtifactEntry {
  readonly type: "file" | "directory";
  readonly path: string;
  readonly name?: string;
  readonly expires?: string;
  readonly contentType?: string;
  readonly contentEncoding?: ContentEncoding;
  readonly optional?: boolean;
}

/** One thing found. `optional` is that of its entry. */
export type Found =
  & { readonly optional: boolean }
  & (
    /** To be published. Whoever takes it closes `file`. */
    | { readonly kind: "data"; readonly artifact: DataArtifact; readonly file: TaskFile }
    /** To be published as an error. */
    | { readonly kind: "error"; readonly artifact: ErrorArtifact }
    /** The name is taken by a feature. */
    | { readonly kind: "reserved"; readonly name: string }
    /** A failure for which nothing can be published: no name that the queue takes, or none that is free. */
    | { readonly kind: "unpublishable"; readonly message: string }
    /** Another file of this payload has the name. */
    | { readonly kind: "conflict"; readonly name: string; readonly message: string }
  );

export interface DiscoverOptions {
  readonly entries: readonly ArtifactEntry[];
  readonly taskDirectory: string;
  readonly files: TaskFiles;
  /** Are the task's files opened by the task's own account? Decides how a refusal is told (spec 03 §2.2). */
  readonly asTaskUser: boolean;
  readonly task: TaskTimes;
  readonly types: ContentTypes;
  /** Names that features publish themselves. */
  readonly isReserved: (name: string) => boolean;
}

/** Yields everything the entries stand for. Never throws for the state of a file. */
export async function* discoverArtifacts(options: DiscoverOptions): AsyncGenerator<Found, void, void> {
  const names = new NameRegistry({ single: options.entries.length === 1 });
  for (const entry of options.entries) {
    const discovery = new EntryDiscovery(entry, { options, names });
    yield* entry.type === "file" ? discovery.file() : discovery.directory();
  }
}

/** A place to look at, and the name it would be published by. */
interface Spot {
  /** Absolute. */
  readonly path: string;
  readonly name: string;
}

class EntryDiscovery {
  readonly #entry: ArtifactEntry;
  readonly #expires: string;
  readonly #options: DiscoverOptions;
  readonly #names: NameRegistry;

  constructor(entry: ArtifactEntry, shared: { options: DiscoverOptions; names: NameRegistry }) {
    this.#entry = entry;
    this.#expires = effectiveExpiry(entry, shared.options.task);
    this.#options = shared.options;
    this.#names = shared.names;
  }

  async *file(): AsyncGenerator<Found, void, void> {
    const { path, name } = this.#entry;
    const spot = { path: this.#absolute(), name: name || canonicalName(path) };
    const found = await this.#examine(spot, { wanted: "file" });
    if (found && found !== "directory") yield found;
  }

  async *directory(): AsyncGenerator<Found, void, void> {
    const { path, name } = this.#entry;
    const top = { path: this.#absolute(), name: name || canonicalName(path) };
    const found = await this.#examine(top, { wanted: "directory" });
    if (found === "directory") yield* this.#walk(top);
    else if (found) yield found;
  }

  /** Depth first, in lexical order, following no link to a directory. */
  async *#walk(top: Spot): AsyncGenerator<Found, void, void> {
    const open: { directory: Spot; names: Iterator<string> }[] = [];
    const enter = async (directory: Spot): Promise<Found | undefined> => {
      const names = await this.#list(directory);
      if (!Array.isArray(names)) return names;
      open.push({ directory, names: names.values() });
      return undefined;
    };
    const refused = await enter(top);
    if (refused) yield refused;
    for (let last = open.at(-1); last; last = open.at(-1)) {
      const next = last.names.next();
      if (next.done) {
        open.pop();
        continue;
      }
      const spot = {
        path: join(last.directory.path, next.value),
        name: nameInDirectory(last.directory.name, next.value),
      };
      const found = await this.#examine(spot, { wanted: "anything" });
      const told = found === "directory" ? await enter(spot) : found;
      if (told) yield told;
    }
  }

  /** What one place gives, if anything; `directory` when it is one, really, and may be one. */
  async #examine(
    spot: Spot,
    { wanted }: { wanted: "file" | "directory" | "anything" },
  ): Promise<Found | "directory" | undefined> {
    if (wanted !== "directory" && this.#options.isReserved(spot.name)) return this.#reserved(spot);
    let file: TaskFile;
    try {
      file = await this.#options.files.open(spot.path);
    } catch (error) {
      return this.#unopened(spot, { wanted, error });
    }
    const { facts } = file;
    if (facts.kind === "file" && wanted !== "directory") return await this.#data(spot, file);
    file.close();
    if (facts.kind === "directory") {
      if (wanted === "file") return this.#error(spot, directoryNotFile(spot));
      return await this.#isLink(spot)
        ? this.#error(
          spot,
          directoryNotFile(spot, "it is a symbolic link to a directory, which is not followed"),
        )
        : "directory";
    }
    if (wanted === "directory") return this.#error(spot, fileNotDirectory(spot));
    return this.#error(spot, specialFile(spot, facts.special));
  }

  /** Nothing for what was found before, through another entry, with the same properties. */
  async #data(spot: Spot, file: TaskFile): Promise<Found | undefined> {
    const { contentType, contentEncoding } = this.#entry;
    const artifact: DataArtifact = {
      ...spot,
      expires: this.#expires,
      contentType: contentType ?? await this.#options.types.of(spot.path),
      contentEncoding: contentEncoding ?? encodingOf(spot.path),
    };
    const properties = `${artifact.contentType} ${artifact.contentEncoding} ${artifact.expires}`;
    const claim = this.#claim(spot, properties);
    if (claim === "new") return { kind: "data", artifact, file, optional: this.#optional };
    file.close();
    if (claim === "unnameable") return this.#unpublishable(unnameable(spot));
    const repeated = claim.path === spot.path && claim.properties === properties;
    return repeated ? undefined : this.#conflict(spot, claim.path);
  }

  /** Only the first error of a name is published; a second one still counts (weakness W-06). */
  #error(spot: Spot, { reason, message }: Complaint): Found {
    if (this.#options.isReserved(spot.name)) return this.#reserved(spot);
    const claim = this.#claim(spot, asError);
    if (claim === "unnameable") return this.#unpublishable(unnameable(spot));
    if (claim !== "new") {
      return claim.properties === asError
        ? this.#unpublishable(`${reason}: ${message}`)
        : this.#conflict(spot, claim.path);
    }
    const artifact = { ...spot, expires: this.#expires, reason, message: cut(message) };
    return { kind: "error", artifact, optional: this.#optional };
  }

  #claim({ name, path }: Spot, properties: string): "new" | "unnameable" | Claim {
    return isPublishableName(name) ? this.#names.claim(name, { path, properties }) : "unnameable";
  }

  #unpublishable(message: string): Found {
    return { kind: "unpublishable", message, optional: this.#optional };
  }

  #conflict(spot: Spot, otherPath: string): Found {
    const message = conflicting(spot, otherPath);
    return { kind: "conflict", name: spot.name, message, optional: this.#optional };
  }

  #reserved({ name }: Spot): Found {
    return { kind: "reserved", name, optional: this.#optional };
  }

  #unopened(spot: Spot, { wanted, error }: { wanted: string; error: unknown }): Found {
    if (!(error instanceof TaskFileError)) throw error;
    const { asTaskUser } = this.#options;
    const refused = error.code === "not-readable" && asTaskUser && wanted !== "directory";
    return this.#error(spot, refused ? notCopied(spot) : missing(spot, wanted));
  }

  async #list(directory: Spot): Promise<string[] | Found> {
    try {
      return await this.#options.files.list(directory.path);
    } catch (error) {
      if (!(error instanceof TaskFileError)) throw error;
      const complaint = error.code === "invalid"
        ? processing(directory, error)
        : missing(directory, "directory");
      return this.#error(directory, complaint);
    }
  }

  async #isLink(spot: Spot): Promise<boolean> {
    try {
      return (await this.#options.files.lstat(spot.path)).kind === "symlink";
    } catch (error) {
      if (error instanceof TaskFileError) return false;
      throw error;
    }
  }

  #absolute(): string {
    const { path } = this.#entry;
    return isAbsolute(path) ? path : join(this.#options.taskDirectory, path);
  }

  get #optional(): boolean {
    return this.#entry.optional === true;
  }
}

const asError = "error";

interface Complaint {
  readonly reason: ArtifactErrorReason;
  readonly message: string;
}

function missing({ path }: Spot, wanted: string): Complaint {
  const what = wanted === "directory" ? "directory" : "file";
  return { reason: "file-missing-on-worker", message: `Could not read ${what} '${path}'` };
}

function directoryNotFile({ path }: Spot, why?: string): Complaint {
  const message = `File artifact '${path}' exists as a directory, not a file, on the worker`;
  return { reason: "invalid-resource-on-worker", message: why ? `${message}: ${why}` : message };
}

function fileNotDirectory({ path }: Spot): Complaint {
  return {
    reason: "invalid-resource-on-worker",
    message: `Directory artifact '${path}' exists as a file, not a directory, on the worker`,
  };
}

/** A refusal in the words that the helper's failure has always had (spec 03 §2.2, step 6). */
function notCopied({ path }: Spot): Complaint {
  return notCopiedBecause(
    path,
    `failed to copy file ${path} to temporary location as task user: exit status 76`,
  );
}

function notCopiedBecause(path: string, why: string): Complaint {
  return {
    reason: "file-not-readable-on-worker",
    message: `Could not copy file '${path}' to temporary location as task user: ${why}`,
  };
}

/** Sockets can't be opened at all; devices and pipes can, but have no content to publish (weakness W-01). */
function specialFile(spot: Spot, special: "fifo" | "socket" | "device" | undefined): Complaint {
  if (special === "socket") return missing(spot, "file");
  const what = special === "fifo" ? "a named pipe" : "a device";
  return notCopiedBecause(spot.path, `it is ${what}, not a regular file`);
}

function processing({ path }: Spot, error: unknown): Complaint {
  return {
    reason: "invalid-resource-on-worker",
    message: `Error processing file '${path}' as artifact: ${errorText(error)}`,
  };
}

function unnameable({ name, path }: Spot): string {
  return `invalid-resource-on-worker: Cannot publish '${path}' as artifact '${name}': ` +
    `${publishableNames}; give the file another name, or its payload entry a \`name\``;
}

function conflicting({ name, path }: Spot, otherPath: string): string {
  return `there was a conflict uploading artifact ${name} - this suggests artifact ${name} was already ` +
    `uploaded to this task with different content earlier on in this task: both ${otherPath} and ${path} ` +
    "would have this name";
}

const longestMessage = 4096;

/** The queue takes messages up to a length (weakness W-08). */
function cut(message: string): string {
  return message.length <= longestMessage
    ? message
    : `${message.slice(0, longestMessage - 1).toWellFormed()}…`;
}
