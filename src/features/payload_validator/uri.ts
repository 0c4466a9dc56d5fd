/** The format `uri`: an absolute URL in the lenient grammar of spec 02 §1.8.1. */

import { isIPv6 } from "node:net";

/** Neither printable ASCII nor beyond ASCII. */
const controlCharacter = /[^ -~\u{80}-\u{10ffff}]/u;
const brokenEscape = /%(?![0-9A-Fa-f]{2})/;
const schemePattern = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const userPattern = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%]*$/;
const forbiddenInHost = /[ ^`{}|[]/;
/** An escape of an ASCII byte other than the percent sign. */
const asciiEscape = /%(?!25)[0-7]/;
const portPattern = /^(?::[0-9]*)?$/;

/** Does the text have a scheme, no backslash, and well-formed parts? */
export function isUri(text: string): boolean {
  if (text.includes("\\")) return false;
  const [beforeFragment, fragment] = cut(text, "#");
  if (brokenEscape.test(fragment) || controlCharacter.test(beforeFragment)) return false;
  const scheme = schemePattern.exec(beforeFragment)?.[1];
  if (scheme === undefined) return false;
  const [hierarchy] = cut(beforeFragment.slice(scheme.length + 1), "?");
  const isOpaque = !hierarchy.startsWith("/");
  return isOpaque || isHierarchy(hierarchy, scheme.toLowerCase());
}

function isHierarchy(hierarchy: string, scheme: string): boolean {
  if (!hierarchy.startsWith("//")) return !brokenEscape.test(hierarchy);
  const pathStart = hierarchy.indexOf("/", 2);
  const authority = pathStart < 0 ? hierarchy.slice(2) : hierarchy.slice(2, pathStart);
  const path = pathStart < 0 ? "" : hierarchy.slice(pathStart);
  return !brokenEscape.test(path) && isAuthority(authority, scheme);
}

function isAuthority(authority: string, scheme: string): boolean {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  if (!userPattern.test(user) || brokenEscape.test(user)) return false;
  const host = authority.slice(at + 1);
  return host.startsWith("[") ? isBracketedHost(host) : isNamedHost(host, scheme);
}

function isBracketedHost(host: string): boolean {
  const end = host.lastIndexOf("]");
  if (end < 0 || !portPattern.test(host.slice(end + 1))) return false;
  const literal = host.slice(1, end);
  const zoneStart = literal.indexOf("%25");
  if (zoneStart < 0) return isAddress(literal);
  const zone = literal.slice(zoneStart + "%25".length);
  return isAddress(literal.slice(0, zoneStart)) && zone !== "" && !forbiddenInHost.test(zone) &&
    !brokenEscape.test(zone);
}

/** `isIPv6` would take an unescaped zone as well. */
function isAddress(literal: string): boolean {
  return isIPv6(literal) && !literal.includes("%");
}

function isNamedHost(hostAndPort: string, scheme: string): boolean {
  const colon = hostAndPort.lastIndexOf(":");
  const host = colon < 0 ? hostAndPort : hostAndPort.slice(0, colon);
  const port = colon < 0 ? "" : hostAndPort.slice(colon);
  if (!portPattern.test(port)) return false;
  if ((scheme === "http" || scheme === "https") && host.includes(":")) return false;
  return !forbiddenInHost.test(host) && !brokenEscape.test(host) && !asciiEscape.test(host);
}

/** The text before the first separator, and the text after it. */
function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
