/** Reading a file at any place. */

import { errorText } from "../../base/error_text.ts";
import { Damage } from "../archive_error.ts";

const windowBytes = 1024 * 1024;

/** An open file that is read at offsets, mostly rising ones: it reads ahead. */
export class Seekable {
  readonly sizeBytes: number;
  readonly #file: Deno.FsFile;
  readonly #window = new Uint8Array(windowBytes);
  #windowOffset = 0;
  #windowFilled = 0;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.sizeBytes = file.statSync().size;
  }

  /**
   * Exactly so many bytes from there. Valid until the next call.
   *
   * @throws Damage when the file does not have them
   */
  read(offsetBytes: number, sizeBytes: number): Uint8Array {
    if (offsetBytes < 0 || offsetBytes + sizeBytes > this.sizeBytes) {
      throw new Damage("the archive is cut off or damaged: it refers to bytes beyond its end");
    }
    if (sizeBytes > windowBytes) {
      const bytes = new Uint8Array(sizeBytes);
      this.#fill(bytes, offsetBytes);
      return bytes;
    }
    const start = offsetBytes - this.#windowOffset;
    if (start >= 0 && start + sizeBytes <= this.#windowFilled) {
      return this.#window.subarray(start, start + sizeBytes);
    }
    this.#windowFilled = 0;
    const filled = Math.min(windowBytes, this.sizeBytes - offsetBytes);
    this.#fill(this.#window.subarray(0, filled), offsetBytes);
    this.#windowOffset = offsetBytes;
    this.#windowFilled = filled;
    return this.#window.subarray(0, sizeBytes);
  }

  #fill(bytes: Uint8Array, offsetBytes: number): void {
    try {
      this.#file.seekSync(offsetBytes, Deno.SeekMode.Start);
      for (let filled = 0; filled < bytes.length;) {
        const count = this.#file.readSync(bytes.subarray(filled));
        if (count === null) throw new Error("it got shorter meanwhile");
        filled += count;
      }
    } catch (error) {
      throw new Damage(`the archive can't be read: ${errorText(error)}`, { cause: error });
    }
  }
}
