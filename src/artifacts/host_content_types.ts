/** The types that the host's own databases know (spec 03 §2.5, "platform table on posix"). */

/** Reads a text file; undefined when it can't be read. */
export type ReadText = (path: string) => Promise<string | undefined>;

const globFiles = ["/usr/local/share/mime/globs2", "/usr/share/mime/globs2"];
const listFiles = [
  "/etc/mime.types",
  "/etc/apache2/mime.types",
  "/etc/apache/mime.types",
  "/etc/httpd/conf/mime.types",
  "/usr/local/etc/mime.types",
];

/**
 * Extension → type: `builtin`, extended by the first readable glob database, or, if there is none, by all lists.
 * Globs never change what is known already, lists do.
 */
export async function loadHostContentTypes(
  builtin: ReadonlyMap<string, string>,
  readText: ReadText = readTextFile,
): Promise<ReadonlyMap<string, string>> {
  const types = new Map(builtin);
  for (const path of globFiles) {
    const text = await readText(path);
    if (text === undefined) continue;
    for (const [extension, type] of parseGlobs(text)) {
      if (!types.has(extension)) types.set(extension, type);
    }
    return types;
  }
  for (const path of listFiles) {
    const text = await readText(path);
    for (const [extension, type] of parseTypeList(text ?? "")) types.set(extension, type);
  }
  return types;
}

/** Lines `weight:type:*.ext`, heaviest first. Globs of any other form are skipped. */
function* parseGlobs(text: string): Generator<[extension: string, type: string]> {
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    const [, type, glob] = line.split(":");
    const extension = glob?.match(/^\*(\.[^?*[\]]+)$/)?.[1];
    if (type && extension !== undefined) yield [extension, type];
  }
}

/** Lines `type ext ext …`, with comments from `#` on. */
function* parseTypeList(text: string): Generator<[extension: string, type: string]> {
  for (const line of text.split("\n")) {
    const [type, ...extensions] = line.replace(/#.*/, "").split(/\s+/).filter((word) => word !== "");
    for (const extension of extensions) {
      if (type !== undefined) yield [`.${extension}`, type];
    }
  }
}

async function readTextFile(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return undefined;
  }
}
