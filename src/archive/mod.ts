/** Unpacking archives into a directory, and never a byte outside of it. */

import { openSafeTree } from "#safe-tree";
import { errorText } from "../base/error_text.ts";
import { SafeTreeError } from "../platform/safe_tree.ts";
import { ArchiveError, Damage } from "./archive_error.ts";
import { decodeFile } from "./codecs/decode_file.ts";
import { readPieces } from "./codecs/read_pieces.ts";
import { drive } from "./drive.ts";
import { EntryWriter, type Written } from "./entry_writer.ts";
import { type ArchiveKind, headBytes, identifyArchive } from "./formats.ts";
import { StepInput } from "./step_input.ts";
import { extractTar } from "./tar/extract_tar.ts";
import { extractZip } from "./zip/extract_zip.ts";

export { ArchiveError } from "./archive_error.ts";
export type { Written } from "./entry_writer.ts";

/** What `unarchive` takes. */
export interface UnarchiveOptions {
  /** The archive's path. */
  readonly source: string;
  /** The directory to fill; made, with its parents, when it is missing. What it holds already is merged with. */
  readonly destination: string;
  /** The format word of the payload, as `tar.gz` (spec 03 §8). */
  readonly format: string;
  /** Stops the extraction; what was extracted stays. */
  readonly signal?: AbortSignal;
  /** Called now and then with what was written so far. */
  readonly onProgress?: (written: Written) => void;
  /** Whether entries get the archived modification time instead of the time they are extracted. Default false. */
  readonly times?: boolean;
}

/**
 * Extracts an archive by the rules of spec 03 §8 and tells how much it was. The first problem ends it; what was
 * extracted before stays. Owners are not taken from the archive, nor are set-id bits.
 *
 * @throws ArchiveError naming the entry and the byte offset; the signal's reason when it aborts
 */
export async function unarchive(options: UnarchiveOptions): Promise<Written> {
  const { source, destination, times = false } = options;
  options.signal?.throwIfAborted();
  const start = { source, offsetBytes: 0 };
  using file = await orArchiveError(start, () => Deno.open(source));
  const tree = await orArchiveError(start, () => openDestination(destination));
  const writer = new EntryWriter(tree, { times });
  try {
    const kind = identifyArchive(options.format, readHead(file));
    await extract(kind, { file, writer, options });
    writer.finish();
    return writer.written;
  } catch (error) {
    if (!isExpected(error)) throw error;
    throw new ArchiveError(errorText(error), { source, ...writer.place }, { cause: error });
  } finally {
    tree.close();
  }
}

async function extract(
  kind: ArchiveKind,
  context: { file: Deno.FsFile; writer: EntryWriter; options: UnarchiveOptions },
): Promise<void> {
  const { file, options, writer } = context;
  const { signal, source } = options;
  const onProgress = () => options.onProgress?.(writer.written);
  if (kind.container === "zip") return await extractZip(file, writer, { signal, onProgress });
  const input = new StepInput();
  const pieces = kind.codec ? decodeFile(source, { codec: kind.codec, signal }) : readPieces(source);
  await drive(extractTar(input, writer), pieces, { input, signal, onPiece: onProgress });
}

async function openDestination(destination: string) {
  await Deno.mkdir(destination, { recursive: true, mode: 0o755 });
  return openSafeTree(destination);
}

function readHead(file: Deno.FsFile): Uint8Array {
  const head = new Uint8Array(headBytes);
  let filled = 0;
  while (filled < head.length) {
    const count = file.readSync(head.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return head.subarray(0, filled);
}

async function orArchiveError<T>(
  place: { source: string; offsetBytes: number },
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Error) throw new ArchiveError(errorText(error), place, { cause: error });
    throw error;
  }
}

/** Problems of the archive, the destination or the disk; anything else is a mistake of ours. */
function isExpected(error: unknown): boolean {
  return error instanceof Damage || error instanceof SafeTreeError;
}
