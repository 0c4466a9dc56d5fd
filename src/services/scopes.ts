/** Scope satisfaction (spec 01 §8.3). */

/** A list of alternatives, each of which must be held entirely. */
export type RequiredScopes = readonly (readonly string[])[];

/** True when the given scope equals the required one, or ends in `*` and the rest is a prefix of it. */
export function scopeSatisfies(given: string, required: string): boolean {
  if (given === required) return true;
  return given.endsWith("*") && required.startsWith(given.slice(0, -1));
}

/** True when nothing is required, or one alternative is held entirely. */
export function scopesSatisfy(given: readonly string[], required: RequiredScopes): boolean {
  if (required.length === 0) return true;
  return required.some((all) => all.every((scope) => given.some((held) => scopeSatisfies(held, scope))));
}
