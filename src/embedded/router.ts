/** Finds the API entry a request is for, and its URL parameters. */

import type { ApiEntry, ServiceReference } from "./api_reference.ts";
import { ApiError } from "./service.ts";

/** An entry and what the URL says. */
export interface RouteMatch {
  readonly service: string;
  readonly entry: ApiEntry;
  /** Decoded. */
  readonly params: Readonly<Record<string, string>>;
}

interface Route {
  readonly service: string;
  readonly entry: ApiEntry;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

/** Parameters that may hold slashes as they are when they end the path; all others are one encoded segment. */
const slashedParameters = new Set(["name", "prefix"]);
/** Parameters that may be empty: the root namespace of the index. */
const emptyParameters = new Set(["namespace"]);

/** All routes of all services. */
export class Router {
  readonly #routes = new Map<string, Route[]>();

  constructor(references: readonly ServiceReference[]) {
    for (const { serviceName, apiVersion, entries } of references) {
      for (const entry of entries) this.#add(serviceName, apiVersion, entry);
    }
  }

  /**
   * @param path without query, as sent
   * @returns undefined when no route fits
   * @throws ApiError InvalidRequestArguments when a parameter is not encoded properly
   */
  match(method: string, path: string): RouteMatch | undefined {
    const [, service = ""] = /^\/api\/([^/]+)\//.exec(path) ?? [];
    const wanted = method === "HEAD" ? "get" : method.toLowerCase();
    for (const route of this.#routes.get(service) ?? []) {
      if (route.entry.method !== wanted) continue;
      const found = route.pattern.exec(path);
      if (found) return { service, entry: route.entry, params: decoded(route.names, found.slice(1)) };
    }
    return undefined;
  }

  #add(service: string, version: string, entry: ApiEntry): void {
    const names: string[] = [];
    const source = entry.route.split(/(<[^>]+>)/).map((part) => {
      if (!part.startsWith("<")) return literally(part);
      const name = part.slice(1, -1);
      names.push(name);
      return parameterPattern(name, entry.route.endsWith(part));
    }).join("");
    const pattern = new RegExp(`^/api/${service}/${version}${source}$`);
    const routes = this.#routes.get(service) ?? [];
    routes.push({ service, entry, pattern, names });
    this.#routes.set(service, routes);
  }
}

/** A pattern that matches the text itself. `RegExp.escape` is not in Deno 2.4. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&");
}

function parameterPattern(name: string, last: boolean): string {
  if (last && slashedParameters.has(name)) return "(.+)";
  // When it is empty the slash before it may be missing too: the Python client cuts slashes off the end of URLs.
  return emptyParameters.has(name) ? "?((?<=/)[^/]*|)" : "([^/]+)";
}

function decoded(names: readonly string[], values: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  names.forEach((name, i) => params[name] = decodedValue(name, values[i] ?? ""));
  return params;
}

function decodedValue(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new ApiError(
      400,
      "InvalidRequestArguments",
      `Invalid URL: parameter ${name} is not percent-encoded UTF-8`,
    );
  }
}
