/** Bytes that can be read more than once, whoever owns the file. */

/** Something open for reading. A file of the task is one. */
export interface ByteSource {
  /** Reads into `buffer` from the current position; number of bytes, 0 at the end. */
  read(buffer: Uint8Array): Promise<number>;
  /** Moves the position to `offsetBytes` from the start. */
  seek(offsetBytes: number): Promise<void>;
  close(): void;
}

/** Opens a file of the worker's own. @throws the system's error */
export async function openOwnFile(path: string): Promise<ByteSource> {
  const file = await Deno.open(path);
  return {
    read: async (buffer) => await file.read(buffer) ?? 0,
    seek: async (offsetBytes) => void await file.seek(offsetBytes, Deno.SeekMode.Start),
    close: () => file.close(),
  };
}

/** Fills `buffer` as far as the source goes; a view of what it got, empty at the end. */
export async function readFully<B extends ArrayBufferLike>(
  source: ByteSource,
  buffer: Uint8Array<B>,
): Promise<Uint8Array<B>> {
  let filled = 0;
  while (filled < buffer.length) {
    const count = await source.read(buffer.subarray(filled));
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
