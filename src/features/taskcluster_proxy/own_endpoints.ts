/** What the proxy answers itself: signed addresses and the closed door for credentials (spec 04 §7.5, §7.6). */

import type { Fields, RequestHead } from "./message_head.ts";
import type { Pieces } from "./message_body.ts";
import { type Signer, withBewit } from "./signature.ts";
import { absoluteTarget } from "./upstream_target.ts";

export interface OwnAnswer {
  readonly status: number;
  readonly text: string;
  readonly fields?: Fields;
}

export interface OwnEndpointOptions {
  readonly signer: () => Signer;
  /** Time of the deployment, milliseconds since the epoch. */
  readonly nowMs: () => number;
}

const bewitSeconds = 60 * 60;
const mostBodyBytes = 64 * 1024;

/** Undefined for requests that go on to a service. @throws UnusableCredentials, BrokenMessage */
export async function ownAnswer(
  { head, body }: { head: RequestHead; body: Pieces },
  options: OwnEndpointOptions,
): Promise<OwnAnswer | undefined> {
  if (head.target.startsWith("/bewit")) return signAddress(await shortText(body), options);
  if (!head.target.startsWith("/credentials")) return undefined;
  if (head.method !== "PUT") return { status: 405, text: "" };
  return refuseCredentials(await shortText(body));
}

function signAddress(text: string | undefined, { signer, nowMs }: OwnEndpointOptions): OwnAnswer {
  if (text === undefined) return { status: 413, text: "The address to sign is too long" };
  const target = absoluteTarget(text.trim());
  if (!target) return { status: 400, text: "The body must be a complete http or https URL" };
  const expires = Math.floor(nowMs() / 1000) + bewitSeconds;
  const url = withBewit(signer(), { target, expires });
  return { status: 303, text: url, fields: [["Location", url]] };
}

/** The worker needs no such door, and nobody else may replace a task's credentials (weakness TP-2). */
function refuseCredentials(text: string | undefined): OwnAnswer {
  return isCredentials(text)
    ? { status: 403, text: "Only the worker itself changes the credentials of this proxy" }
    : { status: 400, text: "" };
}

function isCredentials(text: string | undefined): boolean {
  try {
    const parsed: unknown = JSON.parse(text ?? "");
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return false;
    return ["clientId", "accessToken", "certificate"].every((name) =>
      ["undefined", "string"].includes(typeof Reflect.get(parsed, name))
    );
  } catch {
    return false;
  }
}

/** Undefined when it is too long. */
async function shortText(body: Pieces): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for (let piece = await body.next(); piece; piece = await body.next()) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > mostBodyBytes) return undefined;
  }
  return text + decoder.decode();
}
