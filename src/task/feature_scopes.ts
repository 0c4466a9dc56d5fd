/** Does a task hold the scopes a feature asks for? (spec 01 §8.3) */

import { errorText } from "../base/error_text.ts";
import { expandScopes } from "../services/auth.ts";
import { type RequiredScopes, scopesSatisfy } from "../services/scopes.ts";
import { TaskException } from "./errors.ts";
import type { Feature } from "./feature.ts";
import type { TaskRun } from "./task_run.ts";

/**
 * Roles are expanded only when the scopes as they are do not suffice and one of them may assume a role.
 *
 * @throws TaskException malformed-payload when scopes are missing, resource-unavailable when roles can't be expanded
 */
export async function checkScopes(task: TaskRun, feature: Feature): Promise<void> {
  const required = feature.requiredScopes?.(task) ?? [];
  if (scopesSatisfy(task.scopes, required)) return;
  if (task.scopes.some(mayAssume) && scopesSatisfy(await expanded(task), required)) return;
  throw new TaskException("malformed-payload", missingScopes(feature.name, { required, given: task.scopes }));
}

/** `assume:…`, or a wildcard that covers such scopes (weakness K27). */
function mayAssume(scope: string): boolean {
  const assume = "assume:";
  return scope.startsWith(assume) || (scope.endsWith("*") && assume.startsWith(scope.slice(0, -1)));
}

async function expanded(task: TaskRun): Promise<readonly string[]> {
  const { client, credentials } = task.worker;
  try {
    return await expandScopes(client, {
      credentials: credentials(),
      scopes: task.scopes,
      signal: task.signal,
    });
  } catch (error) {
    throw task.abortCause ?? new TaskException(
      "resource-unavailable",
      `Could not expand the scopes of the task: ${errorText(error)}`,
      { cause: error },
    );
  }
}

function missingScopes(
  featureName: string,
  { required, given }: { required: RequiredScopes; given: readonly string[] },
): string {
  return [
    `Feature "${featureName}" requires scopes:`,
    renderRequired(required),
    "but task only has scopes:",
    given.length === 0 ? "<no scopes>" : given.join(" and "),
    "You probably should add some scopes to your task definition.",
  ].join("\n\n");
}

function renderRequired(required: RequiredScopes): string {
  if (required.length === 0) return "<no scopes>";
  if (required.length === 1) return required[0]!.join(", and\n");
  return required.map((all) => all.length > 1 ? `(${all.join(" and ")})` : all.join("")).join(", or\n");
}
