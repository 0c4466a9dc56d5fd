/** Text for the person or script that called the program. */

/** Writes all of `text` to standard output. A reader that went away is not an error. */
export function print(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes all of `text` to standard error. A reader that went away is not an error. */
export function printError(text: string): void {
  writeAll(Deno.stderr, text);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
