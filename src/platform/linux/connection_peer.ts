/** Finds out whose process holds the other end of a local TCP connection (spec 04 §7.7, §9.3). */

import type { ConnectionEnds, ConnectionPeer, TcpAddress } from "../platform.ts";
import { readSystemFileIfThere } from "./system_file.ts";

const established = "01";

/** Reads one table of the kernel, as it is in `/proc/net/tcp` and `tcp6`; undefined when there is none. */
export type ReadTable = (name: "tcp" | "tcp6") => string | undefined;

const readKernelTable: ReadTable = (name) => readSystemFileIfThere(`/proc/net/${name}`);

/**
 * The peer's own entry has the connection's ends the other way round (weakness TP-1). In any state but ESTABLISHED the
 * kernel names no owner, or a wrong one.
 */
export function findConnectionPeer(
  { local, remote }: ConnectionEnds,
  read = readKernelTable,
): ConnectionPeer {
  const spellings = isIpv4(remote.hostname) ? ["tcp", "tcp6"] as const : ["tcp6"] as const;
  for (const table of spellings) {
    const ends = [spelled(remote, table), spelled(local, table)];
    for (const line of (read(table) ?? "").split("\n").slice(1)) {
      const [, from, to, state, , , , uid] = line.trim().split(/\s+/);
      if (from?.toUpperCase() !== ends[0] || to?.toUpperCase() !== ends[1]) continue;
      return state === established ? { kind: "account", uid: Number(uid) } : { kind: "closing" };
    }
  }
  return { kind: "elsewhere" };
}

/** An address as a table has it: words of 32 bits in little-endian order, and the port (spec 04 §9.3). */
export function spelled({ hostname, port }: TcpAddress, table: "tcp" | "tcp6"): string {
  const bytes = isIpv4(hostname) ? ipv4Bytes(hostname) : ipv6Bytes(hostname);
  const all = table === "tcp6" && bytes.length === 4 ? [...mappedPrefix, ...bytes] : bytes;
  const words: string[] = [];
  for (let at = 0; at < all.length; at += 4) {
    words.push(all.slice(at, at + 4).reverse().map((byte) => hex(byte, 2)).join(""));
  }
  return `${words.join("")}:${hex(port, 4)}`;
}

const mappedPrefix = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

function isIpv4(hostname: string): boolean {
  return /^(::ffff:)?\d+(\.\d+){3}$/i.test(hostname);
}

function ipv4Bytes(hostname: string): number[] {
  return hostname.replace(/^::ffff:/i, "").split(".").map(Number);
}

function ipv6Bytes(hostname: string): number[] {
  const [head = "", tail] = hostname.split("::");
  const groups = (text: string) => text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  return [...front, ...zeros, ...back].flatMap((group) => [group >> 8, group & 0xff]);
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
