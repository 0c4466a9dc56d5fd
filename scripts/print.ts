/** Output of the scripts, for people and CI logs. */

const encoder = new TextEncoder();

/** Writes one line (or several) to stdout. */
export function print(text: string): void {
  const bytes = encoder.encode(`${text}\n`);
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}
