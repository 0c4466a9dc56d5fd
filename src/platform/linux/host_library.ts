/** What Linux distributions call their compression libraries. */

import type { HostLibraryNames } from "../host_library.ts";

/** Names with the interface's version in them: another version would take other structures. */
export const hostLibraryNames: HostLibraryNames = {
  z: ["libz.so.1"],
  lzma: ["liblzma.so.5"],
  zstd: ["libzstd.so.1"],
  lz4: ["liblz4.so.1"],
  bz2: ["libbz2.so.1.0", "libbz2.so.1"],
};
