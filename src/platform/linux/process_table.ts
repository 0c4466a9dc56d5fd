/** Reads the system's table of processes from /proc. */

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
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
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

/** All processes there are. Those that end meanwhile are left out. */
export function readEntries(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readEntry(Number(name));
    if (entry) entries.push(entry);
  }
  return entries;
}

/** Did the process start with all of these `NAME=value` entries in its environment? False where it can't be read. */
export function hasEnvironment(pid: number, entries: readonly string[]): boolean {
  try {
    const present = new Set(Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0"));
    return entries.every((entry) => present.has(entry));
  } catch {
    return false;
  }
}

/** Memory of a process that is in RAM; 0 when it has ended. */
export function readResidentBytes(pid: number): number {
  try {
    const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
