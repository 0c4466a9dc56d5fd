/** Equality of JSON values as `uniqueItems` means it (spec 02 §1.8), in a form that a Set can hold. */

/** Text still to be written as it is, or a value still to be taken apart. */
type Pending = string | { readonly value: unknown };

/**
 * A text that is the same for two values exactly when they are equal: the order of keys does not count, `0` and
 * `-0` differ, unpaired surrogates are U+FFFD. Works without recursion, since the task decides the depth.
 */
export function canonicalKey(value: unknown): string {
  const parts: string[] = [];
  const pending: Pending[] = [{ value }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === "string") parts.push(next);
    else if (Array.isArray(next.value)) openArray(next.value, pending);
    else if (typeof next.value === "object" && next.value !== null) openObject(next.value, pending);
    else parts.push(scalarKey(next.value));
  }
  return parts.join("");
}

/** Pushed back to front, because the last is taken first. */
function openArray(items: readonly unknown[], pending: Pending[]): void {
  pending.push("]");
  for (let i = items.length - 1; i >= 0; i--) pending.push(",", { value: items[i] });
  pending.push("[");
}

function openObject(object: object, pending: Pending[]): void {
  const members = Object.entries(object)
    .map(([key, value]) => [scalarKey(key), value] as const)
    .sort(([a], [b]) => a < b ? 1 : -1);
  pending.push("}");
  for (const [key, value] of members) pending.push(",", { value }, `${key}:`);
  pending.push("{");
}

function scalarKey(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  return Object.is(value, -0) ? "-0" : String(value);
}
