/**
 * Faults as data: which calls go wrong, when, and how. The same requests in the same order always meet the same
 * faults; nothing here is random.
 */

import type { Clock } from "../base/clock.ts";

/** What goes wrong with a call. */
export type FaultEffect =
  /** The answer comes this much later. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** The call is not performed; this status is the answer. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: string }
  /** The connection is closed without an answer, and the call is not performed. */
  | { readonly kind: "reset" }
  /** The call is performed, then the connection is closed without an answer. */
  | { readonly kind: "lostAnswer" }
  /** The call is refused with 401, as for credentials that have just expired. */
  | { readonly kind: "expiredCredentials" }
  /** Bytes to and from the store move at this rate. */
  | { readonly kind: "slowStore"; readonly bytesPerSecond: number }
  /** The answer announces its full length, and ends after this many bytes of body. */
  | { readonly kind: "truncatedBody"; readonly afterBytes: number }
  /** The service's clock is off by this much while it answers: `Date` header and judging of timestamps. */
  | { readonly kind: "clockSkew"; readonly skewMs: number };

/** Which calls an effect is for. What is left out matches everything. */
export interface FaultRule {
  /** Service name of the API, or `store`. */
  readonly service?: string;
  /** Entry name of the API reference; for the store `put`, `get` or `head`. */
  readonly entry?: string;
  readonly method?: string;
  /** Tested against the path as sent, without query. */
  readonly path?: RegExp;
  /** The first matching call it takes effect on, from 1. Default 1. */
  readonly fromCall?: number;
  /** How many calls it takes effect on. Default: all that follow. */
  readonly calls?: number;
  /** Only calls that arrive this long after the start of the schedule, milliseconds. */
  readonly afterMs?: number;
  /** Only calls that arrive earlier than this after the start of the schedule, milliseconds. */
  readonly beforeMs?: number;
  readonly effect: FaultEffect;
}

/** A call as rules see it. */
export interface FaultyCall {
  readonly service: string;
  readonly entry: string;
  readonly method: string;
  readonly path: string;
}

/** The effects on one call, combined. */
export interface CallFaults {
  readonly delayMs: number;
  readonly refusal: Extract<FaultEffect, { kind: "status" | "reset" | "expiredCredentials" }> | undefined;
  readonly lostAnswer: boolean;
  readonly bytesPerSecond: number | undefined;
  readonly truncateAfterBytes: number | undefined;
  readonly skewMs: number;
}

interface ActiveRule {
  readonly rule: FaultRule;
  /** Calls that matched everything but `fromCall` and `calls`. */
  matched: number;
}

/** Rules and how often each has matched. Rules may come and go while the services run. */
export class FaultSchedule {
  readonly #rules = new Set<ActiveRule>();
  #startedMs: number | undefined;
  #clock: Clock | undefined;

  constructor(rules: readonly FaultRule[] = []) {
    for (const rule of rules) this.add(rule);
  }

  /** Starts the time windows of the rules. */
  start(clock: Clock): void {
    this.#clock = clock;
    this.#startedMs = clock.nowMs();
  }

  /** @returns removes the rule */
  add(rule: FaultRule): () => void {
    const active = { rule, matched: 0 };
    this.#rules.add(active);
    return () => this.#rules.delete(active);
  }

  /** Removes all rules. */
  clear(): void {
    this.#rules.clear();
  }

  /** Counts the call and says what goes wrong with it. */
  meet(call: FaultyCall): CallFaults {
    const sinceMs = (this.#clock?.nowMs() ?? 0) - (this.#startedMs ?? 0);
    const effects = [...this.#rules].filter((active) => takesEffect(active, call, sinceMs)).map(({ rule }) =>
      rule.effect
    );
    return combined(effects);
  }
}

function takesEffect(active: ActiveRule, call: FaultyCall, sinceMs: number): boolean {
  const { rule } = active;
  if (
    !matches(rule, call) || sinceMs < (rule.afterMs ?? -Infinity) || sinceMs >= (rule.beforeMs ?? Infinity)
  ) {
    return false;
  }
  active.matched++;
  const place = active.matched - (rule.fromCall ?? 1);
  return place >= 0 && place < (rule.calls ?? Infinity);
}

function matches(rule: FaultRule, call: FaultyCall): boolean {
  const { service = call.service, entry = call.entry, method = call.method, path } = rule;
  return service === call.service && entry === call.entry && method === call.method &&
    (path?.test(call.path) ?? true);
}

/** Of several refusals the first counts; delays and skews add up. */
function combined(effects: readonly FaultEffect[]): CallFaults {
  let faults: CallFaults = noFaults;
  for (const effect of effects) faults = { ...faults, ...applied(effect, faults) };
  return faults;
}

function applied(effect: FaultEffect, faults: CallFaults): Partial<CallFaults> {
  switch (effect.kind) {
    case "delay":
      return { delayMs: faults.delayMs + effect.delayMs };
    case "status":
    case "reset":
    case "expiredCredentials":
      return { refusal: faults.refusal ?? effect };
    case "lostAnswer":
      return { lostAnswer: true };
    case "slowStore":
      return { bytesPerSecond: Math.min(effect.bytesPerSecond, faults.bytesPerSecond ?? Infinity) };
    case "truncatedBody":
      return { truncateAfterBytes: effect.afterBytes };
    case "clockSkew":
      return { skewMs: faults.skewMs + effect.skewMs };
  }
}

const noFaults: CallFaults = {
  delayMs: 0,
  refusal: undefined,
  lostAnswer: false,
  bytesPerSecond: undefined,
  truncateAfterBytes: undefined,
  skewMs: 0,
};
