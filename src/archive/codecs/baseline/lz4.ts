/** LZ4 frames without the host's help: the frame is read here, its blocks by a package. */

import lz4js from "lz4js";
import { Damage } from "../../archive_error.ts";
import { ExactReader } from "./exact_reader.ts";

type DecompressBlock = (
  source: Uint8Array,
  target: Uint8Array,
  sourceStart: number,
  sourceLength: number,
  targetStart: number,
) => number;

const frameMagic = 0x184d2204;
const skippableMagic = 0x184d2a50;
const historyBytes = 64 * 1024;
const storedBit = 0x80000000;
const blockSizes: ReadonlyMap<number, number> = new Map([[4, 1 << 16], [5, 1 << 18], [6, 1 << 20], [
  7,
  1 << 22,
]]);

/** Decompresses frames one after another. The checksums of blocks and contents are not looked at. @throws Damage */
export function* decodeLz4(input: Iterable<Uint8Array>): Generator<Uint8Array> {
  const reader = new ExactReader(input);
  let frames = 0;
  for (let start = reader.readOrEnd(4); start !== undefined; start = reader.readOrEnd(4)) {
    const magic = uint32(start);
    if (magic === frameMagic) yield* decodeFrame(reader);
    else if (((magic ^ skippableMagic) >>> 4) === 0) reader.read(uint32(reader.read(4)));
    else throw new Damage("damaged lz4 data: no frame where one must start");
    frames++;
  }
  if (frames === 0) throw new Damage("the compressed data is cut off");
}

function* decodeFrame(reader: ExactReader): Generator<Uint8Array> {
  const [flags = 0, sizes = 0] = reader.read(2);
  const blockBytes = blockSizes.get((sizes >> 4) & 7);
  if (flags >> 6 !== 1 || blockBytes === undefined) {
    throw new Damage("damaged lz4 data: impossible frame header");
  }
  const independent = (flags & 0x20) !== 0;
  const blockChecksum = (flags & 0x10) !== 0;
  reader.read((flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1);
  const window = new Window(blockBytes, independent);
  for (let size = uint32(reader.read(4)); size !== 0; size = uint32(reader.read(4))) {
    const stored = (size & storedBit) !== 0;
    const sizeBytes = size & ~storedBit;
    if (sizeBytes > blockBytes) throw new Damage("damaged lz4 data: impossible block size");
    const block = reader.read(sizeBytes);
    yield stored ? window.put(block) : window.decompress(block);
    if (blockChecksum) reader.read(4);
  }
  if (flags & 0x04) reader.read(4);
}

/** The output of one block behind the output before it, which it may refer to. */
class Window {
  readonly #bytes: Uint8Array;
  readonly #blockBytes: number;
  readonly #independent: boolean;
  #end = historyBytes;

  constructor(blockBytes: number, independent: boolean) {
    this.#bytes = new Uint8Array(historyBytes + blockBytes);
    this.#blockBytes = blockBytes;
    this.#independent = independent;
  }

  put(block: Uint8Array): Uint8Array {
    this.#slide();
    this.#bytes.set(block, historyBytes);
    return this.#upTo(historyBytes + block.length);
  }

  decompress(block: Uint8Array): Uint8Array {
    this.#slide();
    const decompressBlock: DecompressBlock = lz4js.decompressBlock;
    const end = decompressBlock(block, this.#bytes, 0, block.length, historyBytes);
    if (!(end <= historyBytes + this.#blockBytes)) throw new Damage("damaged lz4 data: a block is too large");
    return this.#upTo(end);
  }

  #slide(): void {
    if (this.#independent) return;
    this.#bytes.copyWithin(0, this.#end - historyBytes, this.#end);
  }

  #upTo(end: number): Uint8Array {
    this.#end = end;
    return this.#bytes.subarray(historyBytes, end);
  }
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}
