/** Groups that the worker's processes belong to (spec 02 §6.8). */

import { cText, libc } from "./libc.ts";

/**
 * Names of the groups the worker's processes really have, in order; a number where there is no name. The group named
 * like the account is left out.
 */
export function readOwnGroups(): string[] {
  const account = nameAt(libc.getpwuid(libc.geteuid()));
  const names = groupIds().map((gid) => nameAt(libc.getgrgid(gid)) ?? String(gid));
  return [...new Set(names)].filter((name) => name !== account).sort();
}

function groupIds(): number[] {
  const supplementary = new Uint32Array(libc.getgroups(0, null));
  libc.getgroups(supplementary.length, supplementary);
  return [libc.getegid(), ...supplementary];
}

/** `struct group` and `struct passwd` both begin with a pointer to the name. */
function nameAt(record: Deno.PointerValue): string | undefined {
  return record === null ? undefined : cText(new Deno.UnsafePointerView(record).getPointer());
}
