/** Where this account's temporary files go. */

/**
 * `$TMPDIR` or `/tmp`; on Windows the first of `TMP`, `TEMP` and `USERPROFILE` that is set (spec 01 §2.3).
 * Internal commands run with an empty environment and then use the system's default.
 */
export function temporaryDirectory(): string {
  if (Deno.build.os !== "windows") return Deno.env.get("TMPDIR") || "/tmp";
  const named = ["TMP", "TEMP", "USERPROFILE"].map((name) => Deno.env.get(name)).find((value) => value);
  return named ?? "C:\\Windows\\Temp";
}
