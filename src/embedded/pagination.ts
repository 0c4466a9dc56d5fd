/** Cuts long listings into pages, the way every listing of the real services does. */

import { ApiError } from "./service.ts";

const largestPage = 1000;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Present when there is more; spread it into the answer. */
  readonly more: { readonly continuationToken?: string };
}

/**
 * The page of `items` that the query parameters `limit` (1 to 1000, also the default) and `continuationToken` ask
 * for. Items must be sorted by `key`, and keys must be unique: the token names the last key seen, so that entries
 * coming and going between two pages neither repeat nor hide others.
 *
 * @throws ApiError InvalidRequestArguments for a limit or token that is none
 */
export function paginate<Item>(
  items: readonly Item[],
  options: { query: URLSearchParams; key: (item: Item) => string },
): Page<Item> {
  const limit = pageSize(options.query.get("limit"));
  const token = options.query.get("continuationToken");
  const after = token === null ? undefined : decodeToken(token);
  const rest = after === undefined ? items : items.filter((item) => options.key(item) > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { items: page, more: {} };
  return { items: page, more: { continuationToken: encodeToken(options.key(last)) } };
}

/** Sorts by code units, the order in which `paginate` continues. */
export function sortedBy<Item>(items: Iterable<Item>, key: (item: Item) => string): Item[] {
  return [...items].sort((left, right) => (key(left) < key(right) ? -1 : key(left) > key(right) ? 1 : 0));
}

function pageSize(text: string | null): number {
  if (text === null) return largestPage;
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw invalid(`limit must be a positive integer, not ${text}`);
  return Math.min(Number(text), largestPage);
}

function encodeToken(key: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(key)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function decodeToken(token: string): string {
  try {
    const binary = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true })
      .decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
  } catch {
    throw invalid("continuationToken was not given out by this service");
  }
}

function invalid(problem: string): ApiError {
  return new ApiError(400, "InvalidRequestArguments", `Invalid query: ${problem}`);
}
