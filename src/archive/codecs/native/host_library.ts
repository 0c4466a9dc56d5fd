/** Loading the host's own compression libraries, where it has them. */

import { hostLibraryNames } from "#host-library";
import type { HostLibrary } from "../../../platform/host_library.ts";

/** Loads a library with these functions; undefined when the host lacks it or one of them. */
export function openHostLibrary<const Symbols extends Deno.ForeignLibraryInterface>(
  library: HostLibrary,
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols> | undefined {
  for (const name of hostLibraryNames[library]) {
    try {
      return Deno.dlopen(name, symbols);
    } catch {
      continue;
    }
  }
  return undefined;
}
