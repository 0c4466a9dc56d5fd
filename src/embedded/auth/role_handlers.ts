/** Entries of the auth service about roles, and what they make of scopes. */

import type { Clock } from "../../base/clock.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate, sortedBy } from "../pagination.ts";
import { bodyAs, param } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import type { AuditRecord, Directory, Role } from "./directory.ts";

interface RoleBody {
  readonly scopes: readonly string[];
  readonly description: string;
}

/** Create, read, update, delete; expandScopes and currentScopes. */
export function roleHandlers(directory: Directory, clock: Clock): Record<string, ApiHandler> {
  return {
    listRoles: () => ({ body: sortedRoles(directory).map((role) => describe(directory, role)) }),
    listRoles2: (request) => listRoles2(directory, request),
    listRoleIds: (request) => listRoleIds(directory, request),
    role: (request) => ({ body: describe(directory, required(directory, request)) }),
    createRole: (request) => createRole(directory, request, clock),
    updateRole: (request) => updateRole(directory, request, clock),
    deleteRole: (request) => deleteRole(directory, request),
    expandScopes: (request) => ({
      body: { scopes: directory.expand(bodyAs<{ scopes: string[] }>(request).scopes) },
    }),
    currentScopes: (request) => ({ body: { scopes: request.caller.scopes } }),
  };
}

function required(directory: Directory, request: ApiRequest): Role {
  const roleId = param(request, "roleId");
  const role = directory.roles.get(roleId);
  if (role) return role;
  throw new ApiError(404, "ResourceNotFound", `Role ${roleId} not found`);
}

function sortedRoles(directory: Directory): Role[] {
  return sortedBy(directory.roles.values(), ({ roleId }) => roleId);
}

function listRoles2(directory: Directory, request: ApiRequest): ApiResponse {
  const page = paginate(sortedRoles(directory), { query: request.query, key: ({ roleId }) => roleId });
  return { body: { roles: page.items.map((role) => describe(directory, role)), ...page.more } };
}

function listRoleIds(directory: Directory, request: ApiRequest): ApiResponse {
  const page = paginate(sortedRoles(directory), { query: request.query, key: ({ roleId }) => roleId });
  return { body: { roleIds: page.items.map(({ roleId }) => roleId), ...page.more } };
}

function createRole(directory: Directory, request: ApiRequest, clock: Clock): ApiResponse {
  const roleId = param(request, "roleId");
  const body = bodyAs<RoleBody>(request);
  request.authorize({ scopes: body.scopes });
  if (directory.roles.has(roleId)) {
    throw new ApiError(409, "RequestConflict", `Role ${roleId} already exists`);
  }
  const nowMs = clock.nowMs();
  const role = { ...body, roleId, createdMs: nowMs, modifiedMs: nowMs };
  keep(directory, request, { role, actionType: "created" });
  return { body: describe(directory, role) };
}

function updateRole(directory: Directory, request: ApiRequest, clock: Clock): ApiResponse {
  const before = required(directory, request);
  const body = bodyAs<RoleBody>(request);
  request.authorize({ scopesAdded: body.scopes.filter((scope) => !before.scopes.includes(scope)) });
  const role = { ...before, ...body, modifiedMs: clock.nowMs() };
  keep(directory, request, { role, actionType: "updated" });
  return { body: describe(directory, role) };
}

function deleteRole(directory: Directory, request: ApiRequest): ApiResponse {
  const entityId = param(request, "roleId");
  if (directory.roles.delete(entityId)) {
    directory.record({
      clientId: request.caller.clientId,
      actionType: "deleted",
      entityType: "role",
      entityId,
    });
  }
  return {};
}

function keep(
  directory: Directory,
  request: ApiRequest,
  { role, actionType }: { role: Role; actionType: AuditRecord["actionType"] },
): void {
  directory.roles.set(role.roleId, role);
  const { clientId } = request.caller;
  directory.record({ clientId, actionType, entityType: "role", entityId: role.roleId });
}

function describe(directory: Directory, { roleId, scopes, description, createdMs, modifiedMs }: Role) {
  return {
    roleId,
    scopes,
    description,
    created: formatTimestamp(createdMs),
    lastModified: formatTimestamp(modifiedMs),
    expandedScopes: directory.expand([`assume:${roleId}`]),
  };
}
