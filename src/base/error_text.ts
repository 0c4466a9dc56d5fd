/** Text of whatever was thrown. */

/** The message of an error, or the thrown value as text. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
