/** Extracting into a fresh directory and looking at what came of it. */

import { ArchiveError, unarchive, type Written } from "../../src/archive/mod.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

/** A directory with an archive, a destination, and things around it that must stay as they are. */
export interface Scene {
  /** The directory of all this. */
  readonly root: string;
  readonly destination: string;
  /** Writes the archive and gives its path. */
  archive(bytes: Uint8Array, name?: string): string;
  /** Extracts; the destination's tree as `listTree` gives it, or the error. */
  extract(bytes: Uint8Array, format: string, options?: { times?: boolean }): Promise<string[] | ArchiveError>;
  /** What is beside the destination, as `listTree` gives it. */
  surroundings(): string[];
}

/** Runs `body` with a scene that is removed afterwards. */
export async function withScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  using directory = new TemporaryDirectory();
  const root = directory.path;
  const destination = `${root}/destination`;
  const outside = `${root}/outside`;
  Deno.mkdirSync(destination);
  Deno.mkdirSync(outside);
  Deno.writeTextFileSync(`${outside}/precious`, "precious");
  const archive = (bytes: Uint8Array, name = "archive") => {
    Deno.writeFileSync(`${root}/${name}`, bytes);
    return `${root}/${name}`;
  };
  await body({
    root,
    destination,
    archive,
    async extract(bytes, format, options = {}) {
      const outcome = await attempt({ source: archive(bytes), destination, format, ...options });
      return outcome instanceof ArchiveError ? outcome : listTree(destination);
    },
    surroundings: () => listTree(outside),
  });
}

/** What it wrote, or the ArchiveError; anything else is thrown. */
export async function attempt(
  options: Parameters<typeof unarchive>[0],
): Promise<Written | ArchiveError> {
  try {
    return await unarchive(options);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
}

/** Every entry below a directory: path, type, permissions and content, sorted. Large contents by their length. */
export function listTree(directory: string, prefix = ""): string[] {
  const lines: string[] = [];
  for (const entry of Deno.readDirSync(directory)) {
    const path = `${directory}/${entry.name}`;
    const shown = `${prefix}${entry.name}`;
    const mode = ((Deno.lstatSync(path).mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
    if (entry.isSymlink) lines.push(`${shown} -> ${Deno.readLinkSync(path)}`);
    else if (entry.isDirectory) lines.push(`${shown}/ ${mode}`, ...listTree(path, `${shown}/`));
    else lines.push(`${shown} ${mode} ${contentOf(path)}`);
  }
  return lines.sort();
}

function contentOf(path: string): string {
  const { isFile, size } = Deno.lstatSync(path);
  if (!isFile) return "special";
  return size > 100 ? `${size} bytes` : JSON.stringify(Deno.readTextFileSync(path));
}
