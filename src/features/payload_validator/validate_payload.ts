/** From the payload as the queue gave it to a native payload with its defaults, or to what is wrong with it. */

import { type Payload, type PayloadArtifact, withDefaults } from "../../task/payload.ts";
import { toRfc3339 } from "./date_time.ts";
import { Evaluator, isObject } from "./evaluate.ts";
import type { SchemaDocument } from "./schema.ts";
import { describeViolation, shortened, type Verdict } from "./verdict.ts";

/** Which kind of payload a task has (spec 02 §2.3), or each violation as `<field>: <message>`. */
export type PayloadCheck =
  | { readonly kind: "native"; readonly payload: Payload }
  | { readonly kind: "docker"; readonly payload: Readonly<Record<string, unknown>> }
  | { readonly kind: "invalid"; readonly violations: readonly string[] };

/**
 * Holds a payload, as parsed from JSON, against one of `schemas/`, and a native one also against what a schema
 * can't say (spec 02 §12.2, §12.5). Never throws, whatever the payload is.
 */
export function validatePayload(
  payload: unknown,
  schema: Readonly<Record<string, unknown>>,
): PayloadCheck {
  const document: SchemaDocument = schema;
  const verdict = new Evaluator(document).check(document, payload);
  if (!verdict.valid || !isObject(payload)) {
    return { kind: "invalid", violations: explain(payload, document, verdict) };
  }
  if (Object.hasOwn(payload, "image")) return { kind: "docker", payload };
  return readNative(payload);
}

/**
 * Whoever gives no image hardly meant a docker-worker payload, even where that alternative fits better: the
 * native one is explained too, and first (spec 02 §12.32).
 */
function explain(payload: unknown, document: SchemaDocument, verdict: Verdict): string[] {
  const native = document.oneOf?.[0];
  const nativeMeant = native && isObject(payload) && !Object.hasOwn(payload, "image");
  const nativeVerdict = nativeMeant ? new Evaluator(document).check(native, payload) : undefined;
  const [headline, ...rest] = verdict.violations;
  const told = [...(headline ? [headline] : []), ...(nativeVerdict?.violations ?? []), ...rest];
  const lines = [...new Set(told.map(describeViolation))];
  const { untold } = nativeVerdict ?? verdict;
  if (untold > 0) lines.push(`(root): There are ${untold} more violations, which are not listed`);
  return lines;
}

/** The schema vouches for the types, as far as `Payload` names them. */
function readNative(valid: Readonly<Record<string, unknown>>): PayloadCheck {
  const payload = withDefaults(wellFormed(valid) as Partial<Payload>);
  const artifacts = payload.artifacts.map(withMoment);
  const violations = [
    ...artifacts.flatMap((artifact, index) => artifact === undefined ? [noMoment(payload, index)] : []),
    ...unnamedLogs(payload),
  ];
  if (violations.length > 0) return { kind: "invalid", violations };
  return { kind: "native", payload: { ...payload, artifacts: artifacts.filter((a) => a !== undefined) } };
}

/** The artifact with an RFC 3339 `expires`; undefined if that names no moment. */
function withMoment(artifact: PayloadArtifact): PayloadArtifact | undefined {
  if (artifact.expires === undefined) return artifact;
  const expires = toRfc3339(artifact.expires);
  return expires === undefined ? undefined : { ...artifact, expires };
}

function noMoment(payload: Payload, index: number): string {
  const given = shortened(payload.artifacts[index]?.expires ?? "");
  return `artifacts.${index}.expires: "${given}" is not a moment in the years 0 to 9999; ` +
    "give date, time and zone, for example 2030-01-31T12:00:00.000Z";
}

/** Nothing can be published without a name; a log that is switched off needs none. */
function unnamedLogs({ logs, features }: Payload): string[] {
  const unnamed: string[] = [];
  if (features["liveLog"] && logs.live === "") {
    unnamed.push("logs.live: Must not be empty unless features.liveLog is false");
  }
  if (features["backingLog"] && logs.backing === "") {
    unnamed.push("logs.backing: Must not be empty unless features.backingLog is false");
  }
  return unnamed;
}

/** A copy in which unpaired surrogates are U+FFFD (spec 02 §1.8). The value passed the schema, so it is not deep. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]),
  );
}
