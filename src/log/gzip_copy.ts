/** A growing compressed copy of a log, made piece by piece on whichever thread owns it. */

import { basename } from "node:path";
import { GzipMember, gzipPieceBytes } from "../base/gzip_member.ts";

/** Where the log is and where its copy will be. */
export interface CopyPaths {
  readonly from: string;
  readonly to: string;
}

/** Reads the log, writes the copy, keeps both open in between. A piece blocks for about a millisecond. */
export class GzipCopy {
  readonly #from: Deno.FsFile;
  readonly #to: Deno.FsFile;
  readonly #member: GzipMember;
  readonly #piece = new Uint8Array(gzipPieceBytes);
  #storedBytes = 0;
  #closed = false;

  /** Starts a copy; the target must not exist. @throws the system's error */
  constructor({ from, to }: CopyPaths) {
    this.#from = Deno.openSync(from);
    try {
      this.#to = Deno.openSync(to, { write: true, createNew: true, mode: 0o600 });
    } catch (error) {
      this.#from.close();
      throw error;
    }
    this.#member = new GzipMember({ fileName: basename(from) });
    this.#append([this.#member.header]);
  }

  /** Compresses the next piece, of at most `availableBytes`; its size, 0 at the end of the log. */
  async take(availableBytes: number): Promise<number> {
    const wantedBytes = Math.min(availableBytes, this.#piece.length);
    let filled = 0;
    while (filled < wantedBytes) {
      const count = this.#from.readSync(this.#piece.subarray(filled, wantedBytes));
      if (count === null) break;
      filled += count;
    }
    if (filled > 0) this.#append(await this.#member.push(this.#piece.subarray(0, filled)));
    return filled;
  }

  /** Ends and closes the copy; its size. */
  async finish(): Promise<number> {
    this.#append(await this.#member.finish());
    this.close();
    return this.#storedBytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#member.close();
    this.#from.close();
    this.#to.close();
  }

  #append(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += this.#to.writeSync(part.subarray(at));
      this.#storedBytes += part.length;
    }
  }
}
