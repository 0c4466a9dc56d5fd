/** Text for the person or script that called the program. */

/** Writes all of `text` to standard output. A reader that went away is not an error. */
export function print(text: string): void {
  writeBytes(Deno.stdout, new TextEncoder().encode(text));
}

/** Writes all of `text` to standard error. A reader that went away is not an error. */
export function printError(text: string): void {
  writeBytes(Deno.stderr, new TextEncoder().encode(text));
}

/** Writes all of `bytes`. A reader that went away is not an error. */
export function writeBytes(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  try {
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  } catch (error) {
    if (!readerIsGone(error)) throw error;
  }
}

/** A closed pipe, or a terminal that hung up. */
function readerIsGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || (error as { code?: unknown }).code === "EIO";
}
