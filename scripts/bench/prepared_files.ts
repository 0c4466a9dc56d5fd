/** Files that tasks of the bench publish, made beforehand so that making them is not measured. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";

/** What to make. */
export interface PreparedFilesOptions {
  readonly count: number;
  readonly sizeBytes: number;
}

const pieceBytes = 1024 * 1024;

/** A directory of files that no compression makes smaller. Disposing removes it. */
export class PreparedFiles implements AsyncDisposable {
  /** The environment variable that tells tasks the directory. */
  static readonly variable = "BENCH_FILES";
  readonly directory: string;
  readonly names: readonly string[];

  private constructor(directory: string, names: readonly string[]) {
    this.directory = directory;
    this.names = names;
  }

  /** Makes them where temporary files go, so that tasks can link them into their directories. */
  static async make({ count, sizeBytes }: PreparedFilesOptions): Promise<PreparedFiles> {
    const directory = await Deno.makeTempDir({ prefix: "bench-files-" });
    const names = Array.from({ length: count }, (_, index) => String(index + 1));
    for (const name of names) writeRandom(join(directory, name), sizeBytes);
    return new PreparedFiles(directory, names);
  }

  /** For the worker, whose tasks inherit it. */
  get env(): Readonly<Record<string, string>> {
    return { [PreparedFiles.variable]: this.directory };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

function writeRandom(path: string, sizeBytes: number): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (let left = sizeBytes; left > 0;) {
    left -= file.writeSync(randomBytes(Math.min(left, pieceBytes)));
  }
}
