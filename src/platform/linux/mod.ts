/** The Linux adapter. */

import { type Clock, systemClock } from "../../base/clock.ts";
import { type Architecture, type Platform, SpawnError, type SpawnOptions } from "../platform.ts";
import { hasCertificateStore } from "./certificates.ts";
import { ChildProcess, openPidfd } from "./child_process.ts";
import { findConnectionPeer } from "./connection_peer.ts";
import { listDirectory, lookAt, openFile } from "./files.ts";
import { heedEndingChildren, hideInheritedDescriptors } from "./inherited_state.ts";
import { constants, errno, errorWords, libc } from "./libc.ts";
import { readBootTimeMs, readFreeDiskBytes, readMemory } from "./machine_facts.ts";
import { LinuxOutputPipe } from "./output_pipe.ts";
import { readOwnGroups } from "./own_groups.ts";
import { changePower } from "./power.ts";
import { ProcessFamily } from "./process_family.ts";
import { Reactor } from "./reactor.ts";
import { removeTree } from "./remove_tree.ts";
import { type RunTool, runTool } from "./run_tool.ts";
import { spawnGroupLeader } from "./spawn.ts";

export { hostLibraryNames } from "./host_library.ts";
export { openSafeTree } from "./safe_tree.ts";

export interface LinuxPlatformOptions {
  /** Measures graces. Default: the machine's. */
  readonly clock?: Clock;
  /** Runs helper programs. Default: for real. */
  readonly run?: RunTool;
}

/**
 * Variables that every command of a run carries (spec 02 §4.5); no two runs have all in common. A process that left
 * its group and whose parents have ended is still known by them.
 */
const runVariables = ["TASK_ID", "RUN_ID", "TASK_WORKDIR"] as const;

/** The platform of this machine. @throws Error when the kernel is too old (before 5.3) */
export function createPlatform(options: LinuxPlatformOptions = {}): Platform {
  const { clock = systemClock, run = runTool } = options;
  libc.close(openPidfd(Deno.pid));
  hideInheritedDescriptors();
  heedEndingChildren();
  const processes = new Processes(clock);
  return {
    os: "linux",
    arch: architecture(),
    createOutputPipe: () => new LinuxOutputPipe(processes.reactor),
    spawn: (spawnOptions) => processes.spawn(spawnOptions),
    killGroup: (pid, killOptions) => processes.killGroup(pid, killOptions),
    killMarked: (environments, killOptions) => processes.killMarked(environments, killOptions),
    killEverything: () => processes.killEverything(),
    idle: () => processes.reactor.idle(),
    memory: readMemory,
    groupMemoryBytes: (pid) => processes.groupMemoryBytes(pid),
    connectionPeer: (connection) => findConnectionPeer(connection),
    freeDiskBytes: readFreeDiskBytes,
    bootTimeMs: readBootTimeMs,
    ownGroups: () => Promise.resolve(readOwnGroups()),
    hasCertificateStore: () => hasCertificateStore(Deno.env.toObject()),
    temporaryDirectory: () => Deno.env.get("TMPDIR") || "/tmp",
    openFile,
    lookAt,
    listDirectory,
    copyTree: async (from, to) => void await run(["/bin/cp", "-a", "--reflink=auto", "-T", "--", from, to]),
    removeTree: (path) => removeTree(path, run),
    shutdown: (reason, { privileged }) => changePower("halt", { reason, privileged, run }),
    reboot: (reason, { privileged }) => changePower("restart", { reason, privileged, run }),
  };
}

function architecture(): Architecture {
  return Deno.build.arch === "aarch64" ? "arm64" : "amd64";
}

interface Started {
  readonly child: ChildProcess;
  readonly environment: readonly string[];
}

/** The processes this worker has started, by pid. */
class Processes {
  readonly reactor = new Reactor();
  readonly #clock: Clock;
  readonly #started = new Map<number, Started>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  spawn(options: SpawnOptions): ChildProcess {
    const pid = spawnGroupLeader(options);
    const child = this.#watch(pid);
    // A number that is given out again replaces the process that had it, so the map stays as small as the table.
    this.#started.set(pid, { child, environment: runEntries(options.env) });
    return child;
  }

  /** Processes the worker did not start are none of its business, whatever their number was before. */
  async killGroup(pid: number, options: { graceMs: number }): Promise<boolean> {
    const started = this.#started.get(pid);
    if (started === undefined) return true;
    const empty = await this.#family(started).end(options);
    if (empty) {
      await started.child.exited.catch(() => {});
      if (this.#started.get(pid) === started) this.#started.delete(pid);
    }
    return empty;
  }

  killEverything(): void {
    for (const started of this.#started.values()) this.#family(started).killNow();
  }

  async killMarked(
    environments: readonly Readonly<Record<string, string>>[],
    options: { graceMs: number },
  ): Promise<boolean> {
    const marks = environments.map((environment) =>
      Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    );
    const empty = await new ProcessFamily({ environments: marks }, this.#clock).end(options);
    if (empty) this.#forget(marks);
    return empty;
  }

  /** Nobody asks again about runs of which nothing is left. */
  #forget(marks: readonly (readonly string[])[]): void {
    for (const [pid, { child, environment }] of this.#started) {
      if (child.reaped && marks.some((entries) => entries.every((entry) => environment.includes(entry)))) {
        this.#started.delete(pid);
      }
    }
  }

  groupMemoryBytes(pid: number): number {
    const started = this.#started.get(pid);
    return started === undefined ? 0 : this.#family(started).memoryBytes();
  }

  #family({ child, environment }: Started): ProcessFamily {
    return new ProcessFamily({ leader: child, environments: [environment] }, this.#clock);
  }

  #watch(pid: number): ChildProcess {
    try {
      return new ChildProcess(pid, this.reactor);
    } catch (error) {
      libc.kill(-pid, constants.SIGKILL);
      libc.wait4(pid, new Int32Array(1), 0, null);
      throw new SpawnError(error instanceof Error ? error.message : errorWords(errno()));
    }
  }
}

function runEntries(env: Readonly<Record<string, string>>): string[] {
  const entries = runVariables.flatMap((name) => env[name] === undefined ? [] : [`${name}=${env[name]}`]);
  return entries.length === runVariables.length ? entries : [];
}
