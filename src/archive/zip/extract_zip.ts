/** Extracts zip archives: stored and deflated entries, of any size. */

import { setImmediate } from "node:timers/promises";
import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { errorText } from "../../base/error_text.ts";
import { rawPathOfBytes } from "../../base/raw_path.ts";
import { Damage } from "../archive_error.ts";
import { pieceBytes, zlibStreamOptions } from "../codecs/codec.ts";
import type { EntryWriter } from "../entry_writer.ts";
import { type CentralDirectory, localOffset, readCentralDirectory } from "./central_directory.ts";
import { type Inflater, openInflater, smallBytes } from "./inflater.ts";
import { Seekable } from "./seekable.ts";
import { parseZipEntry, type ZipEntry } from "./zip_entry.ts";

/** What `extractZip` takes. */
export interface ExtractZipOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then. */
  readonly onProgress?: () => void;
  /** Inflates small entries; closed at the end. Default: the fastest there is. */
  readonly inflater?: Inflater;
}

const localSignature = 0x04034b50;
const localBytes = 30;
const stored = 0;
const deflated = 8;
const longestTargetBytes = 32 * 1024;
/** How long other work of this thread waits at most for entries. */
const sliceMs = 10;

const methodNames: ReadonlyMap<number, string> = new Map([
  [1, "shrink"],
  [6, "implode"],
  [9, "deflate64"],
  [12, "bzip2"],
  [14, "lzma"],
  [93, "zstd"],
  [95, "xz"],
  [98, "ppmd"],
]);

/** What extracting an entry takes. */
interface Context {
  readonly file: Seekable;
  readonly writer: EntryWriter;
  readonly inflater: Inflater;
  readonly signal: AbortSignal | undefined;
}

/** Where an entry's data lies in the file. */
interface Data {
  readonly entry: ZipEntry;
  readonly startBytes: number;
}

/**
 * Extracts every entry in the order in which they lie in the file. Entries that share bytes are refused: that is how
 * a small archive pretends to be a huge one. No entry gives more bytes than it declares.
 *
 * @throws Damage, SafeTreeError, the signal's reason
 */
export async function extractZip(
  source: Deno.FsFile,
  writer: EntryWriter,
  options: ExtractZipOptions = {},
): Promise<void> {
  const { inflater = openInflater(), signal } = options;
  const context = { file: new Seekable(source), writer, inflater, signal };
  try {
    await extractEntries(context, options);
  } finally {
    inflater.close();
  }
}

async function extractEntries(context: Context, options: ExtractZipOptions): Promise<void> {
  const { file, signal, writer } = context;
  const directory = readCentralDirectory(file);
  let sliceEndsMs = performance.now() + sliceMs;
  for (let index = 0; index < directory.entries.length; index++) {
    if (performance.now() >= sliceEndsMs) {
      options.onProgress?.();
      await setImmediate();
      sliceEndsMs = performance.now() + sliceMs;
    }
    signal?.throwIfAborted();
    writer.between(directory.offsetBytes);
    const entry = parseZipEntry(directory, directory.entries[index] ?? 0, { times: writer.times });
    writer.begin(entry);
    const data = locate(file, entry, endOf(directory, index));
    const extraction = extractEntry(data, context);
    if (extraction) await extraction;
  }
}

/** Where the bytes that may belong to an entry end: the next entry, or the table. */
function endOf(directory: CentralDirectory, index: number): number {
  const next = directory.entries[index + 1];
  if (next === undefined) return directory.offsetBytes;
  return localOffset(directory.bytes, next) + directory.prefixBytes;
}

/** Reads the entry's own header, which says where the data starts. */
function locate(file: Seekable, entry: ZipEntry, limitBytes: number): Data {
  const header = file.read(entry.offsetBytes, localBytes);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== localSignature) throw new Damage("the zip entry's header is damaged");
  const startBytes = entry.offsetBytes + localBytes + view.getUint16(26, true) + view.getUint16(28, true);
  if (startBytes + entry.compressedBytes > limitBytes) {
    throw new Damage("the zip archive's entries overlap, as in an archive made to fill the disk");
  }
  return { entry, startBytes };
}

/** Small entries are done at once; a promise costs more than they do. */
function extractEntry(data: Data, context: Context): Promise<void> | undefined {
  const { entry } = data;
  const { inflater, writer } = context;
  if (entry.type === "directory") return void writer.directory(entry);
  if (entry.encrypted) throw new Damage("the zip entry is encrypted, which is not supported");
  if (entry.type === "special") return void writer.wholeFile(entry, new Uint8Array());
  if (entry.type === "symlink") {
    if (Math.max(entry.sizeBytes, entry.compressedBytes) > longestTargetBytes) {
      throw new Damage("the target of the symbolic link is too long");
    }
    return void writer.symbolicLink(entry, rawPathOfBytes(wholeContent(data, context)));
  }
  if (entry.sizeBytes > smallBytes || entry.compressedBytes > inflater.mostCompressedBytes) {
    return extractLarge(data, context);
  }
  return void writer.wholeFile(entry, wholeContent(data, context));
}

function wholeContent(data: Data, context: Context): Uint8Array {
  const { file, inflater } = context;
  const { entry, startBytes } = data;
  checkMethod(entry);
  const compressed = file.read(startBytes, entry.compressedBytes);
  const content = entry.method === stored ? compressed : inflater.inflate(compressed, entry.sizeBytes);
  checkContent(entry, content.length, crc32(content));
  return content;
}

async function extractLarge(data: Data, context: Context): Promise<void> {
  const { file, signal, writer } = context;
  const { entry } = data;
  checkMethod(entry);
  const output = writer.file(entry);
  try {
    let sizeBytes = 0;
    let crc = 0;
    for await (const piece of contentOf(file, data)) {
      signal?.throwIfAborted();
      sizeBytes += piece.length;
      if (sizeBytes > entry.sizeBytes) throw new Damage("the zip entry has more bytes than it declares");
      crc = crc32(piece, crc);
      output.write(piece);
      writer.count(piece.length);
    }
    checkContent(entry, sizeBytes, crc);
  } finally {
    output.close(writer.timeOf(entry));
  }
}

async function* contentOf(file: Seekable, data: Data): AsyncGenerator<Uint8Array> {
  if (data.entry.method === stored) return yield* compressedPieces(file, data);
  const inflate = createInflateRaw(zlibStreamOptions);
  const pieces = Readable.from(compressedPieces(file, data));
  pieces.on("error", (error) => inflate.destroy(error));
  pieces.pipe(inflate);
  try {
    yield* inflate;
  } catch (error) {
    throw error instanceof Damage ? error : damagedData(error);
  } finally {
    pieces.destroy();
    inflate.destroy();
  }
}

async function* compressedPieces(file: Seekable, data: Data): AsyncGenerator<Uint8Array> {
  const end = data.startBytes + data.entry.compressedBytes;
  for (let at = data.startBytes; at < end; at += pieceBytes) {
    yield file.read(at, Math.min(pieceBytes, end - at)).slice();
    await setImmediate();
  }
}

function checkMethod(entry: ZipEntry): void {
  if (entry.method === stored && entry.compressedBytes !== entry.sizeBytes) {
    throw new Damage("the zip entry is stored, yet its two sizes differ");
  }
  if (entry.method === stored || entry.method === deflated) return;
  const name = methodNames.get(entry.method) ?? "unknown";
  throw new Damage(`the zip entry is compressed by method ${entry.method} (${name}), which is not supported`);
}

function checkContent(entry: ZipEntry, sizeBytes: number, crc: number): void {
  if (sizeBytes !== entry.sizeBytes) throw new Damage("the zip entry has fewer bytes than it declares");
  if (crc !== entry.crc) throw new Damage("damaged zip entry: wrong checksum");
}

function damagedData(error: unknown): Damage {
  return new Damage(`damaged zip entry: ${errorText(error)}`, { cause: error });
}
