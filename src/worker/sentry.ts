/** Sends a crash of the worker to the deployment's Sentry (spec 01 §10.3). */

import type { ServiceClient } from "../services/client.ts";
import type { Credentials } from "../services/credentials.ts";

export interface SentryOptions {
  readonly client: ServiceClient;
  readonly credentials: Credentials;
  readonly project: string;
  /** Of the worker, for the event's release. */
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly nowMs: number;
}

/** A report is not worth holding up the end of a worker for. */
const patienceMs = 10_000;

/** @throws Error when there is no DSN to be had, or Sentry does not take the event */
export async function sendToSentry(error: unknown, options: SentryOptions): Promise<void> {
  const { dsn } = await options.client.call<{ dsn: { secret: string } }>({
    service: "auth",
    name: "sentryDSN",
    method: "GET",
    path: ["sentry", options.project, "dsn"],
    credentials: options.credentials,
    retryForMs: patienceMs,
  });
  const target = parseDsn(dsn.secret);
  const response = await fetch(target.url, {
    method: "POST",
    headers: {
      "content-type": "application/x-sentry-envelope",
      "x-sentry-auth": target.authorization(options.version),
    },
    body: envelope(event(error, options)),
    signal: AbortSignal.timeout(patienceMs),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`Sentry answered HTTP ${response.status}`);
}

interface SentryTarget {
  readonly url: string;
  authorization(version: string): string;
}

/** `https://<public key>[:<secret key>]@<host>[/<path>]/<project id>` */
function parseDsn(dsn: string): SentryTarget {
  const { protocol, host, pathname, username, password } = new URL(dsn);
  const segments = pathname.split("/").filter((segment) => segment !== "");
  const projectId = segments.pop() ?? "";
  const path = segments.map((segment) => `/${segment}`).join("");
  const secret = password === "" ? "" : `, sentry_secret=${password}`;
  return {
    url: `${protocol}//${host}${path}/api/${projectId}/envelope/`,
    authorization: (version) =>
      `Sentry sentry_version=7, sentry_client=generic-worker/${version}, sentry_key=${username}${secret}`,
  };
}

function event(error: unknown, { version, tags, nowMs }: SentryOptions) {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return {
    event_id: crypto.randomUUID().replaceAll("-", ""),
    timestamp: nowMs / 1000,
    platform: "javascript",
    level: "fatal",
    release: version,
    tags,
    exception: { values: [{ type: name, value: message, stacktrace: { frames: frames(stack ?? "") } }] },
  };
}

/** Sentry wants the outermost call first. */
function frames(stack: string) {
  const places = [
    ...stack.matchAll(/^\s+at (?:(?<fn>.+) \()?(?<file>[^\s()]+):(?<line>\d+):(?<column>\d+)\)?$/gm),
  ];
  return places.reverse().map(({ groups = {} }) => ({
    function: groups["fn"] ?? "?",
    filename: groups["file"] ?? "",
    lineno: Number(groups["line"]),
    colno: Number(groups["column"]),
  }));
}

function envelope(event: { event_id: string }): string {
  const lines = [{ event_id: event.event_id, sent_at: new Date().toISOString() }, { type: "event" }, event];
  return lines.map((line) => JSON.stringify(line)).join("\n") + "\n";
}
