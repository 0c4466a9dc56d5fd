/** Which archive a file is, from the declared format and its first bytes (spec 03 §8, weakness W-44). */

import { Damage } from "./archive_error.ts";
import { type Codec, startsWith } from "./codecs/codec.ts";
import { codecs } from "./codecs/mod.ts";
import { startsLikeTar } from "./tar/extract_tar.ts";

/** How an archive is to be read. */
export type ArchiveKind =
  | { readonly container: "tar"; readonly codec?: Codec }
  | { readonly container: "zip" };

/** How many bytes from the start of a file `identifyArchive` wants to see. */
export const headBytes = 512;

const localEntry = [0x50, 0x4b, 0x03, 0x04];
const emptyZip = [0x50, 0x4b, 0x05, 0x06];
const sevenZip = [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c];
const rar = [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07];

/**
 * Says how to read a file that starts with `head` and is declared as `format`.
 *
 * A named compression (`tar.gz`) must be there. Any other word lets the content decide. A tar header, which has a
 * checksum, is believed before a mere magic number: a plain tarball whose first file is named `BZh9` stays one.
 *
 * @throws Damage when the content is not what is declared, or no known archive
 */
export function identifyArchive(format: string, head: Uint8Array): ArchiveKind {
  if (head.length === 0) throw new Damage(`this is an empty file, not a ${format} archive`);
  if (format.startsWith("tar.")) return compressedTarball(format, head);
  if (startsLikeTar(head)) return { container: "tar" };
  if (startsWith(head, localEntry) || startsWith(head, emptyZip)) return { container: "zip" };
  const codec = codecs.find((candidate) => candidate.matches(head));
  if (codec) return { container: "tar", codec };
  if (startsWith(head, sevenZip)) throw new Damage("7z archives are not supported");
  if (startsWith(head, rar)) throw new Damage("rar archives are not supported");
  // A zip archive may follow a program that unpacks it.
  if (format === "zip") return { container: "zip" };
  throw new Damage(`this is not a ${format} archive`);
}

function compressedTarball(format: string, head: Uint8Array): ArchiveKind {
  const codec = codecs.find((candidate) => format === `tar.${candidate.name}`);
  if (codec === undefined) throw new Damage(`archives of format ${format} are not supported`);
  if (!codec.matches(head)) throw new Damage(`this is not a ${format} archive`);
  return { container: "tar", codec };
}
