/** Finds the content type of an artifact (spec 03 §2.5). */

import { builtinContentTypes } from "./builtin_content_types.ts";
import { extensionOf } from "./extension.ts";
import { loadHostContentTypes } from "./host_content_types.ts";

/** Win over everything, and stay without a charset. */
const own: ReadonlyMap<string, string> = new Map([
  [".log", "text/plain"],
  [".jsonl", "application/jsonl"],
]);

/** Types by extension. The host's table is read on the first question that needs it. */
export class ContentTypes {
  readonly #loadHost: () => Promise<ReadonlyMap<string, string>>;
  #table: Promise<LookupTable> | undefined;

  /** @param loadHost extension → type as the host has it, laid over the built-in ones */
  constructor(
    loadHost: () => Promise<ReadonlyMap<string, string>> = () => loadHostContentTypes(builtinContentTypes),
  ) {
    this.#loadHost = loadHost;
  }

  /** The type for a file of this path; `application/octet-stream` when nothing is known of it. */
  async of(path: string): Promise<string> {
    const extension = extensionOf(path);
    const lowerCase = extension.toLowerCase();
    const fixed = own.get(lowerCase);
    if (fixed !== undefined) return fixed;
    this.#table ??= this.#loadHost().then(lookupTable);
    const { exact, folded } = await this.#table;
    const type = exact.get(extension) ?? folded.get(lowerCase);
    return type === undefined ? "application/octet-stream" : withCharset(type);
  }
}

interface LookupTable {
  readonly exact: ReadonlyMap<string, string>;
  /** By the extension in lower case. */
  readonly folded: ReadonlyMap<string, string>;
}

function lookupTable(exact: ReadonlyMap<string, string>): LookupTable {
  const folded = new Map<string, string>();
  for (const [extension, type] of exact) {
    const key = extension.toLowerCase();
    if (extension === key || !folded.has(key)) folded.set(key, type);
  }
  return { exact, folded };
}

function withCharset(type: string): string {
  return type.startsWith("text/") && !/;\s*charset=/i.test(type) ? `${type}; charset=utf-8` : type;
}
