/** Finds everything a command has started, wherever it hides, and ends it. */

import type { Clock } from "../../base/clock.ts";
import { type ChildProcess, openPidfd } from "./child_process.ts";
import { constants, libc } from "./libc.ts";
import {
  type ProcessEntry,
  readEntries,
  readEntry,
  readEnvironment,
  readResidentBytes,
} from "./process_table.ts";

/** Who belongs to the family, besides the descendants of those who do. */
export interface FamilyMarks {
  /** Members of its group belong, while the group exists. */
  readonly leader?: ChildProcess;
  /** Processes with all `NAME=value` entries of one of these in their environment belong; an empty one marks nobody. */
  readonly environments: readonly (readonly string[])[];
}

/** How long killed processes may take to vanish; longer only when stuck in the kernel. */
const killedWithinMs = 10_000;
const longestPollMs = 50;
/** A member that forks as fast as it can is caught by the second look or the third. */
const killRounds = 3;
/** A process without environment at so many looks was started without one. */
const blankLooks = 5;

export class ProcessFamily {
  readonly #marks: FamilyMarks;
  readonly #clock: Clock;
  /** Number and start of members seen: their children belong even when they themselves have ended. */
  readonly #seen = new Map<number, number>();
  /** How often a process had no environment to read, by `<pid>:<start>`. */
  readonly #blank = new Map<string, number>();
  /** Some process could not be told from a stranger when looked at last. */
  #unsure = false;

  constructor(marks: FamilyMarks, clock: Clock) {
    this.#marks = marks;
    this.#clock = clock;
  }

  /** Ends all of them: TERM, up to `graceMs` (0: none), KILL. True when none is left. */
  async end({ graceMs }: { graceMs: number }): Promise<boolean> {
    let members = this.#members();
    if (graceMs > 0 && members.length > 0) {
      this.#signal(members, "SIGTERM");
      members = await this.#untilEmpty(graceMs);
    }
    const deadlineMs = this.#clock.monotonicMs() + killedWithinMs;
    while (members.length > 0 || this.#unsure) {
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0) return false;
      this.#signal(members, "SIGKILL");
      // Short rounds, because members may have started others between being listed and being killed.
      members = await this.#untilEmpty(Math.min(leftMs, longestPollMs));
    }
    return true;
  }

  /** Kills all of them without waiting for their end; those they start meanwhile are looked for again. */
  killNow(): void {
    for (let round = 0; round < killRounds; round++) {
      const members = this.#members();
      if (members.length === 0) return;
      this.#signal(members, "SIGKILL");
    }
  }

  /** Memory they hold in RAM; what they share is counted once for each. */
  memoryBytes(): number {
    return this.#members().reduce((sum, member) => sum + readResidentBytes(member.pid), 0);
  }

  /** Looks again and again for as long as members are left, at most `durationMs`; gives who is left. */
  async #untilEmpty(durationMs: number): Promise<ProcessEntry[]> {
    const deadlineMs = this.#clock.monotonicMs() + durationMs;
    let pauseMs = 1;
    let members = this.#members();
    while (members.length > 0 || this.#unsure) {
      const leftMs = deadlineMs - this.#clock.monotonicMs();
      if (leftMs <= 0) break;
      await this.#clock.sleep(Math.min(pauseMs, leftMs));
      pauseMs = Math.min(pauseMs * 2, longestPollMs);
      // The whole table is read only when those we know of are gone.
      if (!members.some(isAlive)) members = this.#members();
    }
    return members;
  }

  #signal(members: readonly ProcessEntry[], signal: "SIGTERM" | "SIGKILL"): void {
    const { leader } = this.#marks;
    leader?.signalGroup(signal);
    for (const member of members) {
      if (member.groupId !== leader?.pid) signalExactly(member, signal);
    }
  }

  /** Living members, found by group, by environment, and by descent from any of them. */
  #members(): ProcessEntry[] {
    const entries = readEntries();
    this.#unsure = false;
    const groupId = this.#marks.leader?.groupAlive() ? this.#marks.leader.pid : undefined;
    const belongs = new Set<number>();
    for (const entry of entries) {
      const seen = this.#seen.get(entry.pid) === entry.startTicks;
      if (seen || entry.groupId === groupId || this.#isMarked(entry)) belongs.add(entry.pid);
    }
    addDescendants(entries, belongs);
    belongs.delete(Deno.pid);
    const members = entries.filter((entry) => belongs.has(entry.pid));
    for (const member of members) this.#seen.set(member.pid, member.startTicks);
    return members.filter((member) => !member.zombie);
  }

  #isMarked(entry: ProcessEntry): boolean {
    const wanted = this.#marks.environments.filter((entries) => entries.length > 0);
    // Threads of the kernel have no group and no environment.
    if (wanted.length === 0 || entry.zombie || entry.groupId === 0 || entry.pid === Deno.pid) return false;
    const environment = readEnvironment(entry.pid);
    if (environment?.size === 0) this.#noteBlank(entry);
    return environment !== undefined &&
      wanted.some((entries) => entries.every((variable) => environment.has(variable)));
  }

  /** While a process changes to another program it has no environment for a moment, so it is looked at again. */
  #noteBlank({ pid, startTicks }: ProcessEntry): void {
    const key = `${pid}:${startTicks}`;
    const times = (this.#blank.get(key) ?? 0) + 1;
    this.#blank.set(key, times);
    if (times < blankLooks) this.#unsure = true;
  }
}

function addDescendants(entries: readonly ProcessEntry[], belongs: Set<number>): void {
  const children = Map.groupBy(entries, (entry) => entry.parentPid);
  const waiting = [...belongs];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (belongs.has(child.pid)) continue;
      belongs.add(child.pid);
      waiting.push(child.pid);
    }
  }
}

function isAlive(entry: ProcessEntry): boolean {
  const now = readEntry(entry.pid);
  return now !== undefined && now.startTicks === entry.startTicks && !now.zombie;
}

/** The descriptor pins the process before it is looked at once more, so the signal cannot reach a successor. */
function signalExactly(entry: ProcessEntry, signal: "SIGTERM" | "SIGKILL"): void {
  let pidfd: number;
  try {
    pidfd = openPidfd(entry.pid);
  } catch {
    return;
  }
  if (isAlive(entry)) libc.syscall(constants.SYS_pidfd_send_signal, pidfd, constants[signal], null, 0);
  libc.close(pidfd);
}
