/** Text of whatever was thrown. */

/** The message of an error, or the thrown value as text. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The message and those of all causes: what happened, and why. */
export function errorChainText(thrown: unknown): string {
  const texts: string[] = [];
  for (
    let error: unknown = thrown;
    error !== undefined;
    error = error instanceof Error ? error.cause : undefined
  ) {
    const text = errorText(error);
    if (!texts.some((known) => known.includes(text))) texts.push(text);
  }
  return texts.join(": ");
}
