/** State files: never half written, whatever kills the worker. */

import { dirname } from "node:path";
import { v4 } from "slugid";

/** How a state file is written. */
export interface AtomicWriteOptions {
  /** Permissions of the new file. Default 0600. */
  mode?: number;
  /** Flush to disk before and after the rename. Default true; false where a power cut may cost the news. */
  durable?: boolean;
}

/** Writes `text` under a temporary name beside `path`, flushes it and renames it over `path`. */
export async function writeFileAtomically(
  path: string,
  text: string,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const { mode = 0o600, durable = true } = options;
  const temporary = `${path}-${v4()}`;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true, mode });
    try {
      await writeAll(file, new TextEncoder().encode(text));
      if (durable) await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
    if (durable) await syncDirectory(dirname(path));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
}

/** Makes the rename itself durable. Systems that cannot flush a directory do without. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path === "" ? "." : path, { read: true });
    await directory.sync();
  } catch {
    return;
  }
}
