/** The versions and hashes of programs that the scripts fetch, in one place so that raising them is one change. */

/** Deno that people develop with and that CI starts from npm. */
export const developerDeno = "2.9.6";

/** Deno inside the npm fallback runtime: the code must run on it too. */
export const fallbackDeno = "2.4.2";

/** An npm package that carries a Deno program, from which the bare runtime can be cut out. */
export interface RuntimePackage {
  /** `name@version`. */
  readonly spec: string;
  /** Path of the program inside the package. */
  readonly program: string;
  /** npm's integrity hash of the tarball. */
  readonly integrity: string;
  /** SHA-256 of the runtime that remains, hex. */
  readonly runtimeSha256: string;
}

/** Fallback runtimes by target triple, for networks that reach npm and nothing else. */
export const fallbackRuntimes: Readonly<Record<string, RuntimePackage>> = {
  "x86_64-unknown-linux-gnu": {
    spec: "@vltpkg/cli-linux-x64@0.0.0-18",
    program: "package/vlt",
    integrity:
      "sha512-eQvsTLNKsoA/sH80Nn1iEKu+Lh24kmbB97dDjhn34py23Xc6+/uI48UNG2k/TQFIcVf7Sckwnrk80L00Hx1eXA==",
    runtimeSha256: "9209c6262bb6fe821ad676e4ed2a59bad5a6625ae69b261a1e3f035053c556e4",
  },
};
