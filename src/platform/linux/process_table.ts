/** Reads the system's table of processes from /proc. */

import { listDirectory } from "./files.ts";
import { readSystemFileIfThere } from "./system_file.ts";

/** One process. `startTicks` tells two processes with the same number apart. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** It has ended and only waits to be collected by its parent. */
  readonly zombie: boolean;
  readonly startTicks: number;
}

/** Facts of one process; undefined when there is none with that number. */
export function readEntry(pid: number): ProcessEntry | undefined {
  const text = readSystemFileIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything, even parentheses and spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (index: number) => Number(fields[index]);
  return {
    pid,
    zombie: fields[0] === "Z" || fields[0] === "X",
    parentPid: number(1),
    groupId: number(2),
    sessionId: number(3),
    startTicks: number(19),
  };
}

/**
 * All processes there are. Lists again until nobody new turns up, because who ends between being listed and being
 * looked at may have started another meanwhile, and that one must not be missed.
 */
export function readEntries(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  const looked = new Set<string>();
  let fresh = processNames();
  while (fresh.length > 0) {
    for (const name of fresh) {
      looked.add(name);
      const entry = readEntry(Number(name));
      if (entry) entries.push(entry);
    }
    fresh = processNames().filter((name) => !looked.has(name));
  }
  return entries;
}

function processNames(): string[] {
  return listDirectory("/proc").map(({ name }) => name).filter((name) => /^\d+$/.test(name));
}

/** The `NAME=value` entries a process started with; undefined where they can't be read. */
export function readEnvironment(pid: number): ReadonlySet<string> | undefined {
  const text = readSystemFileIfThere(`/proc/${pid}/environ`);
  return text === undefined ? undefined : new Set(text === "" ? [] : text.split("\0"));
}

/** Memory of a process that is in RAM; 0 when it has ended. */
export function readResidentBytes(pid: number): number {
  const text = readSystemFileIfThere(`/proc/${pid}/status`) ?? "";
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}
