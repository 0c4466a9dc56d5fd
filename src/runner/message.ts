/** Messages between worker-runner and worker: one JSON object a line, after a tilde (spec 01 §11.2). */

import { stableJsonLine } from "../base/stable_json.ts";

/** A message; its fields besides `type` depend on it. */
export interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The message as a line, newline included. */
export function encodeMessage(message: Message): string {
  return `~${stableJsonLine(message)}\n`;
}

/** The message that a line holds; undefined for any other text, which belongs into the log. */
export function decodeMessage(line: string): Message | undefined {
  const text = line.trim();
  if (!text.startsWith("~{") || !text.endsWith("}")) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(1));
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is Message {
  return value !== null && typeof value === "object" && "type" in value && typeof value.type === "string";
}
