/** JSON with sorted keys, as the worker prints it (spec 01 §9.2, spec 02 §1.9). */

/**
 * Two-space indented JSON, keys in ascending byte order, `<`, `>` and `&` as `\u003c`, `\u003e`, `\u0026`,
 * other non-ASCII text verbatim, no final newline.
 */
export function stableJson(value: unknown): string {
  return escapeForHtml(JSON.stringify(sorted(value), null, 2) ?? "null");
}

/** The same on a single line. */
export function stableJsonLine(value: unknown): string {
  return escapeForHtml(JSON.stringify(sorted(value)) ?? "null");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  if ("toJSON" in value) return value;
  const entries = Object.entries(value).sort(([a], [b]) => compareBytes(a, b));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}

/** Order of the UTF-8 forms, which is the order of code points. */
function compareBytes(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function escapeForHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}
