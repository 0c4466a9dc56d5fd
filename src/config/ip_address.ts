/** IP addresses as the config file may hold them (spec 01 §3.3). */

import { isIPv4, isIPv6 } from "node:net";

const mappedIpv4 = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/;

/** The usual way to write the address; undefined when `text` is none. Zones (`%eth0`) don't belong to an address. */
export function normalizeIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const { hostname } = new URL(`http://[${text}]/`);
  const mapped = mappedIpv4.exec(hostname);
  if (!mapped) return hostname.slice(1, -1);
  return mapped.slice(1).flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  }).join(".");
}
