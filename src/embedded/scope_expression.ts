/** Scope expressions of the API reference: templates that become required scopes once values are known. */

import { scopeSatisfies } from "../services/scopes.ts";

/** As `entries[].scopes` of the reference spells it. */
export type ScopeExpression =
  | string
  | { readonly AllOf: readonly ScopeExpression[] }
  | { readonly AnyOf: readonly ScopeExpression[] }
  | { readonly for: string; readonly in: string; readonly each: string }
  | { readonly if: string; readonly then: ScopeExpression; readonly else?: ScopeExpression };

/** Values for the placeholders of an expression. */
export type ScopeValues = Readonly<Record<string, string | readonly string[]>>;

/** Scopes without placeholders, combined. */
export type RequiredScope =
  | string
  | { readonly AllOf: readonly RequiredScope[] }
  | { readonly AnyOf: readonly RequiredScope[] };

/** The names of the values the expression needs. */
export function placeholders(expression: ScopeExpression): string[] {
  if (typeof expression === "string") return templateNames(expression);
  if ("AllOf" in expression) return expression.AllOf.flatMap(placeholders);
  if ("AnyOf" in expression) return expression.AnyOf.flatMap(placeholders);
  if ("for" in expression) {
    return [expression.in, ...templateNames(expression.each).filter((name) => name !== expression.for)];
  }
  return [expression.if, ...placeholders(expression.then), ...placeholders(expression.else ?? { AllOf: [] })];
}

/**
 * Puts values into an expression.
 * @throws Error when a value is missing, which is a bug in the handler
 */
export function requiredScopes(expression: ScopeExpression, values: ScopeValues): RequiredScope {
  if (typeof expression === "string") return fill(expression, values);
  if ("AllOf" in expression) return { AllOf: expandAll(expression.AllOf, values) };
  if ("AnyOf" in expression) return { AnyOf: expandAll(expression.AnyOf, values) };
  if ("for" in expression) return { AllOf: expandEach(expression, values) };
  const chosen = values[expression.if] === "true" ? expression.then : expression.else;
  return requiredScopes(chosen ?? { AllOf: [] }, values);
}

/** True when the held scopes meet the requirement. */
export function satisfiesRequirement(held: readonly string[], required: RequiredScope): boolean {
  if (typeof required === "string") return held.some((scope) => scopeSatisfies(scope, required));
  if ("AllOf" in required) return required.AllOf.every((part) => satisfiesRequirement(held, part));
  return required.AnyOf.some((part) => satisfiesRequirement(held, part));
}

/** The part of the requirement that is not met, or undefined when all is. */
export function missingScopes(held: readonly string[], required: RequiredScope): RequiredScope | undefined {
  if (satisfiesRequirement(held, required)) return undefined;
  if (typeof required === "string" || "AnyOf" in required) return required;
  const missing = required.AllOf.flatMap((part) => missingScopes(held, part) ?? []);
  return missing.length === 1 ? missing[0] : { AllOf: missing };
}

/** A `for` inside a list gives several members of that list: alternatives inside AnyOf, demands inside AllOf. */
function expandAll(parts: readonly ScopeExpression[], values: ScopeValues): RequiredScope[] {
  return parts.flatMap((part) =>
    typeof part === "object" && "for" in part ? expandEach(part, values) : [requiredScopes(part, values)]
  );
}

function expandEach(
  expression: { readonly for: string; readonly in: string; readonly each: string },
  values: ScopeValues,
): string[] {
  const list = values[expression.in];
  if (list === undefined || typeof list === "string") throw missingValue(expression.in);
  return list.map((value) => fill(expression.each, { ...values, [expression.for]: value }));
}

function fill(template: string, values: ScopeValues): string {
  return template.replaceAll(/<([^>]+)>/g, (_, name: string) => {
    const value = values[name];
    if (typeof value !== "string") throw missingValue(name);
    return value;
  });
}

function templateNames(template: string): string[] {
  return [...template.matchAll(/<([^>]+)>/g)].map(([, name]) => name ?? "");
}

function missingValue(name: string): Error {
  return new Error(`Cannot check scopes: the handler gave no value for <${name}>`);
}
