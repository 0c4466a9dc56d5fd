/** What can be compiled: one row per engine, operating system and architecture. */

import type { EngineName } from "../src/base/build.ts";

/** One binary. */
export interface Target {
  readonly engine: EngineName;
  /** As in the binary's name. */
  readonly os: "linux";
  readonly arch: "x64" | "arm64";
  /** As `deno compile --target` takes it. */
  readonly triple: string;
  /** Modules that stand behind the import map's names. */
  readonly imports: Readonly<Record<"#engine" | "#engine-name" | "#platform" | "#payload-schema", string>>;
  /** Permission flags that the binary is compiled with. */
  readonly permissions: readonly string[];
}

/**
 * Deno lets a program read /proc and write /sys/fs/cgroup only when it holds every permission, so that a list of
 * single ones would leave the worker without memory figures, process trees and cgroups.
 */
const linuxPermissions = ["--allow-all"];

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
      "#platform": "./src/platform/linux/mod.ts",
      "#payload-schema": `./schemas/${engine}_posix.json`,
    },
    permissions: linuxPermissions,
  };
}
