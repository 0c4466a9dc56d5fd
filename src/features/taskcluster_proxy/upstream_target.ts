/** Where a request goes: from the path a task asks for to the address of a service (spec 04 §7.3). */

/** An address, its parts as they are sent and signed. */
export interface UpstreamTarget {
  readonly secure: boolean;
  /** Lower case; IPv6 in brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Name and, where it is not the usual one, port. */
  readonly host: string;
  /** Path and query, byte for byte. */
  readonly resource: string;
  /** All of it. */
  readonly url: string;
}

const dnsName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** Undefined where the request leads nowhere (404). @param rootUrl of the deployment */
export function upstreamTarget(requestTarget: string, rootUrl: string): UpstreamTarget | undefined {
  const [path, query] = splitQuery(requestTarget);
  const service = path.startsWith("/api")
    ? /^\/api\/([^/]+\/[^/]+)\/(.*)$/.exec(path)
    : /^\/([^/.]+\/[^/]+)\/(.*)$/.exec(path);
  if (service) {
    const [, api = "", rest = ""] = service;
    const [name = ""] = api.split("/");
    if (!path.startsWith("/api") && !dnsName.test(name)) return undefined;
    return onRoot(rootUrl, `/api/${api}/${rest.replace(/^\/+/, "")}${query}`);
  }
  if (path.startsWith("/api")) return undefined;
  const [, host = "", rest = ""] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  if (!host.includes(".") || !dnsName.test(host)) return undefined;
  // Digits only can be a name and yet no address.
  const parsed = URL.parse(`https://${host}`);
  return parsed ? target(parsed, `${rest || "/"}${query}`) : undefined;
}

/** Where a complete address leads, with its parts as they are written. Undefined when it is none. */
export function absoluteTarget(url: string): UpstreamTarget | undefined {
  const parsed = /^https?:\/\//i.test(url) ? URL.parse(url) : null;
  if (!parsed) return undefined;
  const rest = url.slice(url.indexOf("//") + 2).replace(/^[^/?#]*/, "").replace(/#.*$/s, "");
  return target(parsed, rest.startsWith("/") ? rest : `/${rest}`);
}

/** The question mark belongs to the query; alone it is dropped. */
function splitQuery(requestTarget: string): [path: string, query: string] {
  const at = requestTarget.indexOf("?");
  if (at < 0) return [requestTarget, ""];
  const query = requestTarget.slice(at);
  return [requestTarget.slice(0, at), query === "?" ? "" : query];
}

function onRoot(rootUrl: string, resource: string): UpstreamTarget {
  const root = new URL(rootUrl);
  return target(root, root.pathname.replace(/\/+$/, "") + resource);
}

function target({ protocol, hostname, port, host }: URL, resource: string): UpstreamTarget {
  const secure = protocol === "https:";
  return {
    secure,
    hostname,
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    host,
    resource,
    url: `${protocol}//${host}${resource}`,
  };
}
