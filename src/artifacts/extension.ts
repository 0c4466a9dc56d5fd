/** The extension by which a file's type and encoding are looked up (spec 03 §2.5). */

import { basename } from "node:path";

/** Everything from the last dot of the last component: `a.tar.gz` → `.gz`, `.bashrc` → `.bashrc`; else empty. */
export function extensionOf(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot);
}
