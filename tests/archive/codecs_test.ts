import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { Damage } from "../../src/archive/archive_error.ts";
import { bzip2, bzip2Format } from "../../src/archive/codecs/bzip2.ts";
import type { Codec } from "../../src/archive/codecs/codec.ts";
import { gzip } from "../../src/archive/codecs/gzip.ts";
import { lz4, lz4Format } from "../../src/archive/codecs/lz4.ts";
import { createNativeBuffers } from "../../src/archive/codecs/native/native_decoder.ts";
import { tiered, type TieredFormat } from "../../src/archive/codecs/tiers.ts";
import { xz, xzFormat } from "../../src/archive/codecs/xz.ts";
import { zstd, zstdFormat } from "../../src/archive/codecs/zstd.ts";
import { withScene } from "./extraction.ts";
import { bytesOf, joined, tarOf } from "./tar_bytes.ts";

const tools: ReadonlyMap<Codec, string> = new Map([
  [bzip2, "bzip2"],
  [gzip, "gzip"],
  [lz4, "lz4"],
  [xz, "xz"],
  [zstd, "zstd"],
]);
const formats: readonly [Codec, TieredFormat | undefined][] = [
  [gzip, undefined],
  [bzip2, bzip2Format],
  [lz4, lz4Format],
  [xz, xzFormat],
  [zstd, zstdFormat],
];

/** The codecs of one format: what is used, and what would be used without the host's library. */
function* waysOf(codec: Codec, format: TieredFormat | undefined): Generator<[name: string, codec: Codec]> {
  if (format === undefined) return yield [codec.name, codec];
  if (hasNative(format)) yield [`${codec.name} by the host's library`, codec];
  yield [`${codec.name} by the package`, tiered({ ...format, native: () => undefined })];
}

function hasNative(format: TieredFormat): boolean {
  const decoder = format.native(createNativeBuffers());
  decoder?.close();
  return decoder !== undefined;
}

async function compress(tool: string, bytes: Uint8Array, args: readonly string[] = []): Promise<Uint8Array> {
  const child = new Deno.Command(tool, { args: ["-c", ...args], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const writing = writer.write(bytes).then(() => writer.close());
  const { stdout, success } = await child.output();
  await writing;
  assert.ok(success);
  return stdout;
}

async function decoded(codec: Codec, bytes: Uint8Array, pieceBytes = 50_000): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of codec.decode(piecesOf(bytes, pieceBytes))) pieces.push(piece.slice());
  return joined(pieces);
}

function* piecesOf(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
}

function has(tool: string): boolean {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Text that compresses, noise that does not, and stretches of zeros. */
function sample(): Uint8Array {
  const noise = new Uint8Array(60_000);
  crypto.getRandomValues(noise);
  return joined([
    bytesOf("some words ".repeat(40_000)),
    noise,
    new Uint8Array(1_500_000),
    noise,
    bytesOf("end"),
  ]);
}

for (const [codec, format] of formats) {
  const tool = tools.get(codec) ?? "";
  for (const [name, way] of waysOf(codec, format)) {
    const ignore = !has(tool);

    Deno.test({
      name: `${name} gives back what ${tool} compressed, in pieces of any size and in several members`,
      ignore,
      async fn() {
        const whole = sample();
        const compressed = await compress(tool, whole);
        for (const pieceBytes of [compressed.length, 300_000, 999]) {
          assert.ok(
            Buffer.from(whole).equals(await decoded(way, compressed, pieceBytes)),
            String(pieceBytes),
          );
        }
        assert.deepEqual(await decoded(way, await compress(tool, bytesOf("x")), 1), bytesOf("x"));
        const twice = joined([compressed, await compress(tool, new Uint8Array()), compressed]);
        assert.ok(Buffer.from(joined([whole, whole])).equals(await decoded(way, twice)));
      },
    });

    Deno.test({
      name: `${name} reports data that is cut off anywhere`,
      ignore,
      async fn() {
        const compressed = await compress(tool, sample());
        const cuts = [0, 1, 3, 10, compressed.length >> 1, compressed.length - 4, compressed.length - 1];
        for (const size of cuts) {
          await assert.rejects(decoded(way, compressed.slice(0, size)), Damage, `cut at ${size}`);
        }
      },
    });

    Deno.test({
      name: `${name} ends properly whatever bits are flipped`,
      ignore,
      async fn() {
        const compressed = await compress(tool, bytesOf("some words, some more words ".repeat(3000)));
        const flip = fc.tuple(fc.nat(compressed.length - 1), fc.integer({ min: 1, max: 255 }));
        await fc.assert(
          fc.asyncProperty(flip, async ([at, mask]) => {
            const bytes = compressed.slice();
            bytes[at]! ^= mask;
            await decoded(way, bytes).catch((error) => assert.ok(error instanceof Damage, String(error)));
          }),
          { numRuns: 100 },
        );
      },
    });
  }

  Deno.test({
    name: `unarchive() extracts tar.${codec.name}, also when it is declared as tar`,
    ignore: !has(tool),
    async fn() {
      const compressed = await compress(tool, tarOf([{ name: "f", content: "x" }]));
      for (const word of [`tar.${codec.name}`, "tar", "zip"]) {
        await withScene(async ({ extract }) =>
          assert.deepEqual(await extract(compressed, word), ['f 0644 "x"'])
        );
      }
    },
  });
}
