/** Tar archives put together byte by byte, so that they can be as wrong as a test wants. */

/** One header with what follows it. */
export interface TarPart {
  readonly name: string | Uint8Array;
  /** Type character, default `0`. */
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** Default: the content's. */
  readonly size?: number;
  readonly mtime?: number;
  /** `ustar` with NUL by default; `ustar  ` for GNU's kind. */
  readonly magic?: string;
  /** Changes the header before its checksum is taken. */
  readonly change?: (header: Uint8Array) => void;
}

/** The archive of these parts, with the two blocks of zeros that end it unless `end` is false. */
export function tarOf(parts: readonly TarPart[], options: { end?: boolean } = {}): Uint8Array {
  const pieces = parts.flatMap((part) => [headerOf(part), padded(bytesOf(part.content ?? ""))]);
  if (options.end !== false) pieces.push(new Uint8Array(1024));
  return joined(pieces);
}

/** A pax extended header with these records. */
export function paxPart(records: readonly (readonly [key: string, value: string | Uint8Array])[]): TarPart {
  return { name: "PaxHeaders/x", type: "x", content: joined(records.map(recordOf)) };
}

function recordOf([key, value]: readonly [string, string | Uint8Array]): Uint8Array {
  const rest = joined([bytesOf(` ${key}=`), bytesOf(value), bytesOf("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return joined([bytesOf(String(length)), rest]);
}

function headerOf(part: TarPart): Uint8Array {
  const header = new Uint8Array(512);
  header.set(bytesOf(part.name).subarray(0, 100), 0);
  octal(header, { at: 100, width: 8, value: part.mode ?? 0o644 });
  octal(header, { at: 124, width: 12, value: part.size ?? bytesOf(part.content ?? "").length });
  octal(header, { at: 136, width: 12, value: part.mtime ?? 1_000_000_000 });
  header[156] = (part.type ?? "0").charCodeAt(0);
  header.set(bytesOf(part.link ?? "").subarray(0, 100), 157);
  header.set(bytesOf(part.magic ?? "ustar\x0000"), 257);
  part.change?.(header);
  setChecksum(header);
  return header;
}

/** Puts the right checksum into a header. */
export function setChecksum(header: Uint8Array): void {
  header.fill(0x20, 148, 156);
  octal(header, { at: 148, width: 8, value: header.reduce((sum, byte) => sum + byte, 0) });
}

/** Writes an octal number with its closing NUL. */
export function octal(header: Uint8Array, field: { at: number; width: number; value: number }): void {
  header.set(bytesOf(field.value.toString(8).padStart(field.width - 1, "0") + "\0"), field.at);
}

/** All of them, one after the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** UTF-8 of a text; bytes as they are. */
export function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? new TextEncoder().encode(text) : text;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
  whole.set(bytes);
  return whole;
}
