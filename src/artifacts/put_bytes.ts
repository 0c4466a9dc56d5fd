/** Puts bytes that are in memory. */

import { LinkedSignal } from "../base/linked_signal.ts";
import { keptAnswerBytes, type PutAnswer, type PutOptions, StalledError } from "./put.ts";

/**
 * Sends the bytes with their exact length, 0 included (weakness W-59), over a connection that is kept for the
 * next ones.
 *
 * @throws when no answer comes; the signal's reason when aborted
 */
export async function putBytes(
  url: string,
  request: PutOptions & { headers: Readonly<Record<string, string>>; bytes: Uint8Array<ArrayBuffer> },
): Promise<PutAnswer> {
  const { headers, bytes, signal, stallMs } = request;
  using linked = new LinkedSignal([signal], { timeoutMs: stallMs });
  const init = { method: "PUT", headers, body: bytes, signal: linked.signal, redirect: "manual" } as const;
  try {
    const response = await fetch(url, init);
    const text = await response.text();
    return {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
      body: response.ok ? "" : text.slice(0, keptAnswerBytes),
    };
  } catch (error) {
    throw linked.timedOut ? new StalledError(stallMs) : error;
  }
}
