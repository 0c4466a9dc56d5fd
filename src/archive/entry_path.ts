/** From the names in an archive to places below the destination (spec 03 §8 "unarchive rules"). */

import type { RawPath } from "../base/raw_path.ts";

const plain = /^(?!\.\.?(?:\/|$))[^/\0]+(?:\/(?!\.\.?(?:\/|$))[^/\0]+)*$/;

/**
 * The clean path of `name` seen from the directory `from`: no empty component, no `.`, no `..`; a leading `/` is
 * dropped. Undefined when it leads above the destination or holds a NUL byte.
 */
export function cleanPath(name: RawPath, from: RawPath = ""): RawPath | undefined {
  if (from === "" && plain.test(name)) return name;
  if (name.includes("\0")) return undefined;
  const parts: RawPath[] = from === "" ? [] : from.split("/");
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** The directory a clean path lies in. */
export function parentPath(path: RawPath): RawPath {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
