/** Colours for the worker's own lines in a task log, so that they stand apart from what the commands print. */

/** Opening sequences by the start of the line. */
const colours: readonly (readonly [start: string, colour: string])[] = [
  ["[taskcluster:error]", "\x1b[31m"],
  ["[taskcluster:warn ", "\x1b[33m"],
  ["[taskcluster ", "\x1b[36m"],
];
const reset = "\x1b[0m";
const newline = 0x0a;

/** Paints a log that comes in pieces; bytes of commands pass as they are and are never held back for long. */
export class LogPainter {
  readonly #encoder = new TextEncoder();
  readonly #starts = colours.map(([start, colour]) => ({ start: this.#encoder.encode(start), colour }));
  /** Bytes at the start of a line that may still become one of ours. */
  #held: Uint8Array = new Uint8Array(0);
  #atLineStart = true;
  #painting = false;

  /** The next bytes to show for these next bytes of the log. */
  paint(bytes: Uint8Array): Uint8Array {
    const shown: Uint8Array[] = [];
    let rest = join([this.#held, bytes]);
    this.#held = new Uint8Array(0);
    while (rest.length > 0) {
      if (this.#atLineStart && !this.#startLine(rest, shown)) break;
      const end = rest.indexOf(newline);
      const line = end === -1 ? rest : rest.subarray(0, end);
      shown.push(line);
      if (end === -1) break;
      if (this.#painting) shown.push(this.#encoder.encode(reset));
      shown.push(rest.subarray(end, end + 1));
      this.#painting = false;
      this.#atLineStart = true;
      rest = rest.subarray(end + 1);
    }
    return join(shown);
  }

  /** What is still held back, when the log has ended. */
  finish(): Uint8Array {
    const rest = this.#held;
    this.#held = new Uint8Array(0);
    return this.#painting ? join([rest, this.#encoder.encode(reset)]) : rest;
  }

  /** Decides on the colour of a line; false when more bytes are needed for that. */
  #startLine(rest: Uint8Array, shown: Uint8Array[]): boolean {
    for (const { start, colour } of this.#starts) {
      const known = Math.min(start.length, rest.length);
      if (!equal(start.subarray(0, known), rest.subarray(0, known))) continue;
      if (known < start.length) {
        this.#held = rest.slice();
        return false;
      }
      shown.push(this.#encoder.encode(colour));
      this.#painting = true;
      break;
    }
    this.#atLineStart = false;
    return true;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
