/** A process the worker started: how it ended, and signals to its group that never hit a stranger. */

import type { ExitStatus, SpawnedProcess } from "../platform.ts";
import { constants, errno, errorNumbers, errorWords, libc } from "./libc.ts";
import { readEntries, readEntry } from "./process_table.ts";
import type { Reactor } from "./reactor.ts";
import { signalName } from "./signal_names.ts";

const rusageBytes = 144;

export class ChildProcess implements SpawnedProcess {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  #reaped = false;
  #groupGone = false;

  /** @throws Error when the process cannot be watched */
  constructor(pid: number, reactor: Reactor) {
    this.pid = pid;
    const pidfd = openPidfd(pid);
    this.exited = new Promise((resolve, reject) => {
      const unwatch = reactor.watch(pidfd, () => {
        const end = this.#reap();
        if (end === undefined) return;
        unwatch();
        libc.close(pidfd);
        if (end instanceof Error) reject(end);
        else resolve(end);
      });
    });
  }

  /** Has its end been collected? From then on its number may belong to somebody else. */
  get reaped(): boolean {
    return this.#reaped;
  }

  signalGroup(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.groupAlive()) libc.kill(-this.pid, constants[signal]);
  }

  /**
   * Does the group still have members (zombies count)? The leader's number cannot be given away while the leader
   * is not reaped or the group has members; once it was seen empty it is never signalled again.
   */
  groupAlive(): boolean {
    if (!this.#reaped) return true;
    if (this.#groupGone) return false;
    this.#groupGone = this.#isEmpty() || this.#isReused();
    return !this.#groupGone;
  }

  #isEmpty(): boolean {
    return libc.kill(-this.pid, 0) === -1 && errno() === errorNumbers.ESRCH;
  }

  /** A living process with a reaped leader's number, or a group of another session, shows that it was given away. */
  #isReused(): boolean {
    if (readEntry(this.pid) !== undefined) return true;
    const ownSession = readEntry(Deno.pid)?.sessionId;
    return !readEntries().some((entry) => entry.groupId === this.pid && entry.sessionId === ownSession);
  }

  #reap(): ExitStatus | Error | undefined {
    const status = new Int32Array(1);
    const usage = new DataView(new ArrayBuffer(rusageBytes));
    const result = libc.wait4(this.pid, status, constants.WNOHANG, usage);
    if (result === 0) return undefined;
    if (result === -1) {
      const reason = errno();
      if (reason === errorNumbers.EINTR) return undefined;
      this.#reaped = true;
      return new Error(`Cannot learn how process ${this.pid} ended: ${errorWords(reason)}`);
    }
    this.#reaped = true;
    // Asked now, while the number cannot have been given away yet: the usual group ends with its leader.
    this.#groupGone = this.#isEmpty();
    return { ...endFrom(status[0] ?? 0), userTimeMs: timeMs(usage, 0), kernelTimeMs: timeMs(usage, 16) };
  }
}

function endFrom(status: number): { code: number } | { signal: string; coreDumped?: boolean } {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  return { signal: signalName(signal), ...((status & 0x80) !== 0 ? { coreDumped: true } : {}) };
}

/** Reads a `struct timeval`. */
function timeMs(usage: DataView, offset: number): number {
  return Number(usage.getBigInt64(offset, true)) * 1_000 +
    Number(usage.getBigInt64(offset + 8, true)) / 1_000;
}

/** A descriptor that becomes readable when the process ends. @throws Error with advice on old kernels */
export function openPidfd(pid: number): number {
  const fd = libc.syscall(constants.SYS_pidfd_open, pid, 0, null, 0);
  if (fd !== -1) return fd;
  const reason = errno();
  const advice = reason === errorNumbers.ENOSYS ? "; the worker needs Linux 5.3 or newer" : "";
  throw new Error(`Cannot watch process ${pid}: pidfd_open: ${errorWords(reason)}${advice}`);
}
