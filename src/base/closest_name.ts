/** The name somebody probably meant. */

import { distance } from "fastest-levenshtein";

/** The known name nearest to `written`, case aside; undefined when none is near enough to be meant. */
export function closestName(written: string, known: Iterable<string>): string | undefined {
  const lower = written.toLowerCase();
  let best: string | undefined;
  let fewest = Math.max(2, Math.floor(lower.length / 3)) + 1;
  for (const name of known) {
    const edits = distance(lower, name.toLowerCase());
    if (edits < fewest && edits < name.length) [best, fewest] = [name, edits];
  }
  return best;
}
