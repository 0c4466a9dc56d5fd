/** Which files are worth compressing on their way (spec 03 §2.6). */

import { extensionOf } from "./extension.ts";
import type { ContentEncoding } from "./artifact.ts";

const alreadyCompressed: ReadonlySet<string> = new Set(
  (".7z .aab .apk .br .bz2 .deb .dmg .flv .gif .gz .jar .jpeg .jpg .lz .lz4 .mz .npz .pkg .png .swf .sz .tbz .tgz " +
    ".wasm .webp .whl .woff .woff2 .xpi .xz .zip .zst .zz").split(" "),
);

/** `identity` for files that are compressed already, in whatever case the extension is written (weakness W-07). */
export function encodingOf(path: string): ContentEncoding {
  return alreadyCompressed.has(extensionOf(path).toLowerCase()) ? "identity" : "gzip";
}
