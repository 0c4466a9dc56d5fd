/** What can be compiled: one row per engine, operating system and architecture. */

import type { EngineName } from "../src/base/build.ts";

/** Modules that differ between targets, by their names in the import map. */
type TargetModule =
  | "#engine"
  | "#engine-name"
  | "#host-library"
  | "#payload-schema"
  | "#platform"
  | "#safe-tree";

/** One binary. */
export interface Target {
  readonly engine: EngineName;
  /** As in the binary's name. */
  readonly os: "linux";
  readonly arch: "x64" | "arm64";
  /** As `deno compile --target` takes it. */
  readonly triple: string;
  /** Modules that stand behind the import map's names. */
  readonly imports: Readonly<Record<TargetModule, string>>;
  /** Permission flags that the binary is compiled with. */
  readonly permissions: readonly string[];
}

/**
 * All that a worker does, and nothing else: it loads no code from the network. Tasks name the files, hosts and
 * programs, so none of these can be narrowed. Without every permission Deno opens nothing below /proc, /sys and /dev,
 * whatever the others allow; what the worker needs of these it reads through libc.
 */
const linuxPermissions = [
  "--allow-read",
  "--allow-write",
  "--allow-net",
  "--allow-run",
  "--allow-env",
  "--allow-sys",
  "--allow-ffi",
];

/** Flags for V8 in every binary. None: those that shrink memory or compile less made no difference when measured. */
export const v8Flags: readonly string[] = [];

/** Every target whose adapters exist. */
export const targets: readonly Target[] = [
  linux("insecure", "x64", "x86_64-unknown-linux-gnu"),
  linux("insecure", "arm64", "aarch64-unknown-linux-gnu"),
];

/** `generic-worker-insecure-linux-x64`. */
export function binaryName(target: Target): string {
  return `generic-worker-${target.engine}-${target.os}-${target.arch}`;
}

function linux(engine: EngineName, arch: Target["arch"], triple: string): Target {
  return {
    engine,
    os: "linux",
    arch,
    triple,
    imports: {
      "#engine": `./src/engine/${engine}.ts`,
      "#engine-name": `./src/engine/${engine}_name.ts`,
      "#host-library": "./src/platform/linux/host_library.ts",
      "#platform": "./src/platform/linux/mod.ts",
      "#safe-tree": "./src/platform/linux/safe_tree.ts",
      "#payload-schema": `./schemas/${engine}_posix.json`,
    },
    permissions: linuxPermissions,
  };
}
