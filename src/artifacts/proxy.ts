/** Which proxy an address is reached through, by the same variables and rules as `fetch` (measured on both versions). */

import { Buffer } from "node:buffer";
import { BlockList, isIP } from "node:net";

/** Gives a variable of the environment. */
export type ReadVariable = (name: string) => string | undefined;

export interface Proxy {
  readonly protocol: "http:" | "https:";
  readonly hostname: string;
  readonly port: number;
  /** Value of the `Proxy-Authorization` header, where the address has a user. */
  readonly authorization?: string;
}

/**
 * The proxy that `ALL_PROXY`, else `HTTPS_PROXY` or `HTTP_PROXY`, names for the address, unless `NO_PROXY` excepts it;
 * each also in lower case. Undefined: none.
 *
 * @throws Error for a proxy of another kind than http and https
 */
export function proxyFor(target: URL, read: ReadVariable): Proxy | undefined {
  const address = proxyAddress(target, read);
  if (!address || isExcepted(bareHostname(target), eitherCase("NO_PROXY", read) ?? "")) return undefined;
  const url = URL.parse(address.includes("://") ? address : `http://${address}`);
  // Whoever knows the address may know a password: it is not repeated.
  if (!url) throw new Error("Cannot use the proxy that the environment names: its address is not a URL");
  const { protocol } = url;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new Error(
      `Cannot upload through a ${protocol.slice(0, -1)} proxy: only http and https ones are supported`,
    );
  }
  return {
    protocol,
    hostname: bareHostname(url),
    port: Number(url.port || (protocol === "http:" ? 80 : 443)),
    ...(url.username === "" ? {} : { authorization: basicAuthorization(url) }),
  };
}

/** Host name without the brackets of IPv6 addresses, as connecting wants it. */
export function bareHostname(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function proxyAddress({ protocol }: URL, read: ReadVariable): string | undefined {
  const all = eitherCase("ALL_PROXY", read);
  if (all) return all;
  if (protocol === "https:") return eitherCase("HTTPS_PROXY", read);
  // What runs for a web server gets request headers as variables: one named Proxy would come as this.
  return read("REQUEST_METHOD") === undefined ? eitherCase("HTTP_PROXY", read) : undefined;
}

function eitherCase(name: string, read: ReadVariable): string | undefined {
  return read(name) || read(name.toLowerCase()) || undefined;
}

function isExcepted(hostname: string, exceptions: string): boolean {
  const rules = exceptions.split(",").map((rule) => rule.trim().toLowerCase()).filter((rule) => rule !== "");
  return rules.includes("*") || rules.some((rule) => matches(hostname, rule));
}

/** A domain stands for those below it, with or without its leading dot. */
function matches(hostname: string, rule: string): boolean {
  if (isIP(hostname)) return isInNetwork(hostname, rule);
  const domain = rule.replace(/^\./, "");
  return hostname === domain || hostname.endsWith(`.${domain}`);
}

function isInNetwork(address: string, rule: string): boolean {
  const [network = "", prefix] = rule.split("/");
  const family = isIP(network);
  if (family === 0 || family !== isIP(address)) return false;
  const longest = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? longest : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > longest) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? "ipv4" : "ipv6");
  return list.check(address, family === 4 ? "ipv4" : "ipv6");
}

function basicAuthorization({ username, password }: URL): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
