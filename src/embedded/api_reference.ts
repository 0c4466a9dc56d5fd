/** The published interface of the services, as data: entries, routes, schemas, scope expressions. */

import reference from "./reference/taskcluster_api.json" with { type: "json" };
import type { ScopeExpression } from "./scope_expression.ts";

/** One entry of `references/<service>/v1/api.json`. */
export interface ApiEntry {
  readonly name: string;
  readonly method: string;
  /** Path below `/api/<service>/v1`, parameters as `<name>`. */
  readonly route: string;
  readonly query?: readonly string[];
  /** Name of the schema of the body, e.g. `v1/task.json#`. */
  readonly input?: string | null;
  readonly output?: string | null;
  /** Null: no authentication takes place. */
  readonly scopes?: ScopeExpression | null;
}

/** One service of the reference. */
export interface ServiceReference {
  readonly serviceName: string;
  readonly apiVersion: string;
  readonly entries: readonly ApiEntry[];
}

/** Every service the embedded Taskcluster knows. */
export const serviceReferences: readonly ServiceReference[] = reference.references;

/** Every schema those services' entries refer to, named by `$id`. */
export const apiSchemas: readonly { readonly $id: string }[] = reference.schemas;

/** The `$id` of an entry's input or output schema. */
export function schemaId(service: string, name: string): string {
  return `/schemas/${service}/${name}`;
}
