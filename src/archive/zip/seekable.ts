/** Reading a file at any place. */

import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";

/** An open file that is read at offsets. */
export class Seekable {
  readonly #file: Deno.FsFile;
  readonly sizeBytes: number;
  #positionBytes = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.sizeBytes = file.statSync().size;
  }

  /** Exactly so many bytes from there. @throws Damage when the file does not have them */
  read(offsetBytes: number, sizeBytes: number): Uint8Array {
    if (offsetBytes < 0 || offsetBytes + sizeBytes > this.sizeBytes) {
      throw new Damage("the archive is cut off or damaged: it refers to bytes beyond its end");
    }
    const bytes = new Uint8Array(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const count = this.#readInto(bytes.subarray(filled), offsetBytes + filled);
      if (count === null) throw new Damage("the archive got shorter while it was read");
      filled += count;
    }
    return bytes;
  }

  #readInto(bytes: Uint8Array, offsetBytes: number): number | null {
    try {
      if (offsetBytes !== this.#positionBytes) this.#file.seekSync(offsetBytes, Deno.SeekMode.Start);
      const count = this.#file.readSync(bytes);
      this.#positionBytes = offsetBytes + (count ?? 0);
      return count;
    } catch (error) {
      throw new Damage(`the archive can't be read: ${errorText(error)}`, { cause: error });
    }
  }
}
