/** Reads a tar archive from its first byte to its last and has its entries written. */

import { type RawPath, rawPathOfBytes } from "../../base/raw_path.ts";
import type { FileTime, SafeFile } from "../../platform/safe_tree.ts";
import { Damage } from "../archive_error.ts";
import type { Entry, EntryWriter } from "../entry_writer.ts";
import type { StepInput, Steps } from "../step_input.ts";
import { blockBytes, hasValidChecksum, isZeroBlock, parseTarHeader, type TarHeader } from "./header.ts";
import { parsePaxRecords, type PaxRecords, paxSize, paxTime } from "./pax.ts";
import {
  checkSparseMap,
  readLeadingSparseMap,
  readOldSparseMap,
  type SparseMap,
  sparseMapOfNumbers,
} from "./sparse.ts";

const longestExtensionBytes = 16 * 1024 * 1024;
/** Types that never have data, whatever their size field says. */
const withoutData = new Set(["1", "2", "3", "4", "5", "6"]);
/** GNU's volume label and file names of an old kind. */
const ignored = new Set(["V", "N"]);

/** What extension headers said of the entry after them. */
interface Extensions {
  readonly offsetBytes: number;
  longName?: RawPath;
  longLink?: RawPath;
  pax?: PaxRecords;
}

/** An entry with all that extension headers say of it. */
interface TarEntry extends Entry {
  readonly type: string;
  readonly linkName: RawPath;
  readonly storedBytes: number;
  readonly sparse?: PaxSparse;
}

/** How pax describes a sparse file. */
interface PaxSparse {
  readonly fileBytes: number;
  /** Offsets and sizes in turn; undefined when they stand in front of the data. */
  readonly numbers?: readonly string[];
}

/** Whether an archive starts with a tar header, or with the zeros that end an empty one. */
export function startsLikeTar(head: Uint8Array): boolean {
  return head.length >= blockBytes && (hasValidChecksum(head) || isZeroBlock(head));
}

/**
 * Extracts the archive that comes through `input`, up to the end of the input, so that whoever decompresses it gets to
 * check the last byte too. An archive may lack the blocks of zeros at its end; cut anywhere else it is damaged.
 *
 * @throws Damage, SafeTreeError
 */
export function* extractTar(input: StepInput, writer: EntryWriter): Steps {
  let extensions: Extensions | undefined;
  while (true) {
    const offsetBytes = input.offsetBytes;
    writer.between(offsetBytes);
    const block = input.take(blockBytes) ?? (yield* input.gather(blockBytes));
    if (block === undefined && offsetBytes === 0) {
      throw new Damage("this is an empty file, not a tar archive");
    }
    if (block === undefined || isZeroBlock(block)) {
      if (extensions !== undefined) throw new Damage("the archive ends before the entry a header announces");
      if (block !== undefined) yield* readEnd(input);
      return;
    }
    if (offsetBytes === 0 && !hasValidChecksum(block)) throw new Damage("this is not a tar archive");
    const header = parseTarHeader(block);
    extensions ??= { offsetBytes };
    if (yield* readExtension(header, { input, extensions })) continue;
    const entry = entryOf(header, extensions);
    extensions = undefined;
    if (entry.type === "S") {
      const oldHeader = block.slice();
      writer.begin(entry);
      const map = yield* readOldSparseMap(oldHeader, input);
      yield* extractSparse(entry, { input, writer, map, storedBytes: entry.storedBytes });
    } else if (!ignored.has(entry.type)) yield* extractEntry(entry, input, writer);
    else yield* skipData(input, entry.storedBytes);
  }
}

/** After the first block of zeros: another one, or the end. What follows the second is no part of the archive. */
function* readEnd(input: StepInput): Steps {
  const second = yield* input.gather(blockBytes);
  if (second !== undefined && !isZeroBlock(second)) {
    throw new Damage("damaged archive: a single block of zeros in the middle");
  }
  yield* input.skipAll();
}

/** Takes in a header that concerns the next one. False when it is an entry of its own. */
function* readExtension(
  header: TarHeader,
  context: { input: StepInput; extensions: Extensions },
): Steps<boolean> {
  const { input, extensions } = context;
  switch (header.type) {
    case "L":
      extensions.longName = cString(yield* readExtensionData(input, header));
      return true;
    case "K":
      extensions.longLink = cString(yield* readExtensionData(input, header));
      return true;
    case "x":
    case "X":
      extensions.pax = parsePaxRecords(yield* readExtensionData(input, header));
      return true;
    case "g":
      yield* skipData(input, header.sizeBytes);
      return true;
    default:
      return false;
  }
}

function* readExtensionData(input: StepInput, header: TarHeader): Steps<Uint8Array> {
  if (header.sizeBytes > longestExtensionBytes) {
    throw new Damage("damaged tar header: an extension header of impossible size");
  }
  const bytes = (yield* input.exactly(header.sizeBytes)).slice();
  yield* input.skip(paddingOf(header.sizeBytes));
  return bytes;
}

function entryOf(header: TarHeader, extensions: Extensions): TarEntry {
  let name = extensions.longName ?? header.name;
  let linkName = extensions.longLink ?? header.linkName;
  let sizeBytes = header.sizeBytes;
  let modified: FileTime = { seconds: header.modifiedSeconds, nanoseconds: 0 };
  for (const [key, value] of extensions.pax ?? []) {
    if (value === "") continue;
    if (key === "path") name = value;
    else if (key === "linkpath") linkName = value;
    else if (key === "size") sizeBytes = paxSize(value);
    else if (key === "mtime") modified = paxTime(value);
  }
  const sparse = paxSparseOf(extensions.pax ?? []);
  const directory = header.type === "D" || (header.type === "0" && name.endsWith("/"));
  return {
    name: sparse?.name ?? name,
    linkName,
    mode: header.mode,
    modified,
    offsetBytes: extensions.offsetBytes,
    type: directory ? "5" : header.type,
    storedBytes: withoutData.has(header.type) ? 0 : sizeBytes,
    ...(sparse && { sparse }),
  };
}

/** The `GNU.sparse.*` records. Version 0.0 repeats one record for each number. */
function paxSparseOf(pax: PaxRecords): (PaxSparse & { name?: RawPath }) | undefined {
  let fileBytes: number | undefined;
  let name: RawPath | undefined;
  let leading = false;
  const numbers: string[] = [];
  for (const [key, value] of pax) {
    if (!key.startsWith("GNU.sparse.")) continue;
    if (key === "GNU.sparse.size" || key === "GNU.sparse.realsize") fileBytes = paxSize(value);
    else if (key === "GNU.sparse.name") name = value;
    else if (key === "GNU.sparse.major") leading = value === "1";
    else if (key === "GNU.sparse.map") numbers.push(...(value === "" ? [] : value.split(",")));
    else if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") numbers.push(value);
  }
  if (fileBytes === undefined) return undefined;
  return { fileBytes, ...(name !== undefined && { name }), ...(!leading && { numbers }) };
}

function* extractEntry(entry: TarEntry, input: StepInput, writer: EntryWriter): Steps {
  switch (entry.type) {
    case "0":
    case "7":
      return yield* extractFile(entry, input, writer);
    case "1":
      return writer.hardLink(entry, entry.linkName);
    case "2":
      return writer.symbolicLink(entry, entry.linkName);
    case "3":
    case "4":
    case "6":
      return writer.wholeFile(entry, new Uint8Array());
    case "5":
      writer.directory(entry);
      return yield* skipData(input, entry.storedBytes);
    case "M":
      writer.begin(entry);
      throw new Damage("this is a later part of an archive in several volumes");
    default:
      return yield* extractFile(entry, input, writer);
  }
}

function* extractFile(entry: TarEntry, input: StepInput, writer: EntryWriter): Steps {
  if (entry.sparse) return yield* extractPaxSparse(entry, { input, writer, sparse: entry.sparse });
  const whole = input.take(entry.storedBytes);
  if (whole !== undefined) {
    writer.wholeFile(entry, whole);
  } else {
    const file = writer.file(entry);
    try {
      yield* copyData(entry.storedBytes, { input, writer, file });
    } finally {
      file.close(writer.timeOf(entry));
    }
  }
  const padding = paddingOf(entry.storedBytes);
  if (padding > 0 && input.take(padding) === undefined) yield* input.skip(padding);
}

function* extractPaxSparse(
  entry: TarEntry,
  context: { input: StepInput; writer: EntryWriter; sparse: PaxSparse },
): Steps {
  const { input, sparse, writer } = context;
  writer.begin(entry);
  const start = input.offsetBytes;
  const map = sparse.numbers
    ? sparseMapOfNumbers(sparse.numbers, sparse.fileBytes)
    : yield* readLeadingSparseMap(input, sparse.fileBytes);
  const storedBytes = entry.storedBytes - (input.offsetBytes - start);
  yield* extractSparse(entry, { input, writer, map, storedBytes });
}

function* extractSparse(
  entry: TarEntry,
  context: { input: StepInput; writer: EntryWriter; map: SparseMap; storedBytes: number },
): Steps {
  const { input, writer, map, storedBytes } = context;
  checkSparseMap(map, storedBytes);
  const file = writer.file(entry);
  try {
    let end = 0;
    for (const { offsetBytes, sizeBytes } of map.stretches) {
      skipHole(file, offsetBytes - end, writer);
      yield* copyData(sizeBytes, { input, writer, file });
      end = offsetBytes + sizeBytes;
    }
    skipHole(file, map.fileBytes - end, writer);
  } finally {
    file.close(writer.timeOf(entry));
  }
  yield* input.skip(paddingOf(storedBytes));
}

function skipHole(file: SafeFile, sizeBytes: number, writer: EntryWriter): void {
  file.skip(sizeBytes);
  writer.count(sizeBytes);
}

function* copyData(
  sizeBytes: number,
  context: { input: StepInput; writer: EntryWriter; file: SafeFile },
): Steps {
  for (let left = sizeBytes; left > 0;) {
    const part = yield* context.input.some(left);
    context.file.write(part);
    context.writer.count(part.length);
    left -= part.length;
  }
}

function* skipData(input: StepInput, sizeBytes: number): Steps {
  yield* input.skip(sizeBytes);
  yield* input.skip(paddingOf(sizeBytes));
}

function paddingOf(sizeBytes: number): number {
  return (blockBytes - sizeBytes % blockBytes) % blockBytes;
}

function cString(bytes: Uint8Array): RawPath {
  const end = bytes.indexOf(0);
  return rawPathOfBytes(end < 0 ? bytes : bytes.subarray(0, end));
}
