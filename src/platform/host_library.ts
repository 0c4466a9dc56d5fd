/** Compression libraries that a machine may have of its own. */

/** zlib, liblzma, libzstd, liblz4 and libbz2. */
export type HostLibrary = "z" | "lzma" | "zstd" | "lz4" | "bz2";

/** For each library the names to try to load it by, in order. None: it is not to be used on this system. */
export type HostLibraryNames = Readonly<Record<HostLibrary, readonly string[]>>;
