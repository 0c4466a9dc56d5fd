/** Scope sets, and their expansion by roles (spec 01 §12.1: `assume:` scopes). */

import { scopeSatisfies } from "../../services/scopes.ts";

/** What expansion needs of a role. */
export interface RoleScopes {
  /** May end in `*`: then it matches every role with that prefix, and `<..>` in its scopes is the rest. */
  readonly roleId: string;
  readonly scopes: readonly string[];
}

const assume = "assume:";

/** Sorted, without duplicates, and without scopes that others of the set satisfy. */
export function normalizedScopes(scopes: Iterable<string>): string[] {
  const unique = [...new Set(scopes)].sort();
  const stars = unique.filter((scope) => scope.endsWith("*"));
  return unique.filter((scope) => !stars.some((star) => star !== scope && scopeSatisfies(star, scope)));
}

/** The set with everything that its `assume:` scopes give, wildcards included, and what those give in turn. */
export function expandedScopes(scopes: readonly string[], roles: Iterable<RoleScopes>): string[] {
  const known = [...roles];
  const found = new Set(scopes);
  for (const scope of found) {
    if (found.has("*")) return ["*"];
    for (const role of known) {
      for (const given of scopesGivenBy(role, scope)) found.add(given);
    }
    if (found.size > 10_000) {
      throw new Error(`Cannot expand scopes: roles multiply without end from ${scope}`);
    }
  }
  return normalizedScopes(found);
}

/** What holding one scope gives through one role; nothing when the scope does not assume it. */
function scopesGivenBy(role: RoleScopes, scope: string): readonly string[] {
  if (!scope.startsWith(assume)) {
    return scopeSatisfies(scope, assume + role.roleId) ? withRest(role, "*") : [];
  }
  const assumed = scope.slice(assume.length);
  if (!role.roleId.endsWith("*")) {
    return scopeSatisfies(assumed, role.roleId) ? role.scopes : [];
  }
  const prefix = role.roleId.slice(0, -1);
  if (assumed.startsWith(prefix)) return withRest(role, assumed.slice(prefix.length));
  return scopeSatisfies(assumed, role.roleId) ? withRest(role, "*") : [];
}

/** A wildcard inserted for `<..>` ends the scope there: nothing may follow a `*`. */
function withRest(role: RoleScopes, rest: string): readonly string[] {
  return role.scopes.map((scope) => {
    if (!scope.includes("<..>")) return scope;
    if (rest.endsWith("*")) return scope.slice(0, scope.indexOf("<..>")) + rest;
    return scope.replaceAll("<..>", rest);
  });
}
