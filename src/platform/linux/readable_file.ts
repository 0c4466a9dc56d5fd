/** A regular file that is read by its descriptor, on a thread aside where a slow disk holds up nobody. */

import type { ReadableFile } from "../platform.ts";
import { errno, libc } from "./libc.ts";
import { systemError } from "./open_descriptor.ts";

/** Takes over a descriptor. */
export class LinuxReadableFile implements ReadableFile {
  readonly #fd: number;
  readonly #path: string;
  #reads = 0;
  #closing = false;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  async readAt(buffer: Uint8Array, offsetBytes: number): Promise<number> {
    if (this.#closing) throw new Error(`Cannot read ${this.#path}: it was closed`);
    const place = [
      this.#fd,
      buffer as Uint8Array<ArrayBuffer>,
      BigInt(buffer.length),
      BigInt(offsetBytes),
    ] as const;
    this.#reads++;
    try {
      const count = await libc.preadAside(...place);
      // The reason stayed behind on the other thread, so the same is tried once more on this one.
      return count === -1 ? this.#checked(libc.pread(...place)) : count;
    } finally {
      this.#reads--;
      this.#closeWhenUnused();
    }
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#closeWhenUnused();
  }

  #checked(count: number): number {
    if (count === -1) throw systemError(errno(), this.#path);
    return count;
  }

  /** A read that is under way must not meet another file under the same number. */
  #closeWhenUnused(): void {
    if (this.#closing && this.#reads === 0) libc.close(this.#fd);
  }
}
