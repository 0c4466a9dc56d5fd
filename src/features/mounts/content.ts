/** What a mount is filled with: where it comes from and how it is called (spec 03 §6.2). */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { TaskException } from "../../task/errors.ts";

/** The content of a mount as the payload gives it. */
export type Content = ArtifactContent | IndexedContent | UrlContent | LiteralContent;

export interface ArtifactContent {
  readonly kind: "artifact";
  readonly taskId: string;
  readonly artifact: string;
  readonly sha256?: string;
}

/** An artifact of whatever task the index has at `namespace`. */
export interface IndexedContent {
  readonly kind: "indexed";
  readonly namespace: string;
  readonly artifact: string;
}

export interface UrlContent {
  readonly kind: "url";
  readonly url: string;
  readonly sha256?: string;
}

/** Content that stands in the payload itself. */
export interface LiteralContent {
  readonly kind: "raw" | "base64";
  /** As in the payload. */
  readonly text: string;
}

/** Reads the `content` of a mount. @throws TaskException malformed-payload when it is of no known kind */
export function readContent(value: unknown): Content {
  const entry: Readonly<Record<string, unknown>> = typeof value === "object" && value !== null
    ? { ...value }
    : {};
  const { taskId, artifact, namespace, url, raw, base64, sha256 } = entry;
  const hash = isText(sha256) ? { sha256 } : {};
  if (isText(taskId) && isText(artifact)) return { kind: "artifact", taskId, artifact, ...hash };
  if (isText(namespace) && isText(artifact)) return { kind: "indexed", namespace, artifact };
  if (isText(url)) return { kind: "url", url, ...hash };
  if (isText(raw)) return { kind: "raw", text: raw };
  if (isText(base64)) return { kind: "base64", text: base64 };
  throw new TaskException("malformed-payload", "[mounts] unrecognised mount entry in payload");
}

/** The bytes of content that stands in the payload; base64 is decoded (weakness W-43). */
export function literalBytes({ kind, text }: LiteralContent): Uint8Array {
  return new Uint8Array(Buffer.from(text, kind === "raw" ? "utf8" : "base64"));
}

/** The key of an artifact in the table of files; one that the index led to has the same. */
export function artifactKey({ taskId, artifact }: { taskId: string; artifact: string }): string {
  return `artifact:${taskId}:${artifact}`;
}

/** The key of content in the table of files. */
export function contentKey(content: ArtifactContent | UrlContent | LiteralContent): string {
  if (content.kind === "artifact") return artifactKey(content);
  if (content.kind === "url") return `urlcontent:${content.url}`;
  // The text itself, which may be 64 KiB long, has no place in a key (weakness W-43).
  const digest = createHash("sha256").update(literalBytes(content)).digest("hex");
  return `${content.kind === "raw" ? "Raw" : "Base64"} content with SHA256 ${digest}`;
}

const longestQuote = 100;

/** How messages call the content. */
export function describeContent(content: Content): string {
  switch (content.kind) {
    case "artifact":
      return `task ${content.taskId} artifact ${content.artifact}`;
    case "indexed":
      return `namespace ${content.namespace} artifact ${content.artifact}`;
    case "url":
      return `url ${content.url}`;
    case "raw":
      return `Raw (${quote(content.text)})`;
    case "base64":
      return `Base64 (${quote(content.text)})`;
  }
}

/** Enough of a text to know it by (weakness W-43). */
function quote(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  if (line === text && text.length <= longestQuote) return text;
  return `${line.slice(0, longestQuote)}… ${text.length} characters in all`;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
