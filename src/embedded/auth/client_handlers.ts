/** Entries of the auth service about clients and their history. */

import type { Clock } from "../../base/clock.ts";
import { formatTimestamp } from "../../base/timestamp.ts";
import { paginate, sortedBy } from "../pagination.ts";
import { bodyAs, param, timeMs } from "../request_parts.ts";
import { ApiError, type ApiHandler, type ApiRequest, type ApiResponse } from "../service.ts";
import { type AuditRecord, type Client, type Directory, newAccessToken } from "./directory.ts";

interface ClientBody {
  readonly expires: string;
  readonly description: string;
  readonly scopes?: readonly string[];
  readonly deleteOnExpiration?: boolean;
}

/** Create, read, update, delete; enable, disable, new token; audit history. */
export function clientHandlers(directory: Directory, clock: Clock): Record<string, ApiHandler> {
  return {
    listClients: (request) => listClients(directory, request),
    client: (request) => ({ body: describe(directory, required(directory, request)) }),
    createClient: (request) => createClient(directory, request, clock),
    updateClient: (request) => updateClient(directory, request, clock),
    enableClient: (request) => switchClient(directory, request, { disabled: false, nowMs: clock.nowMs() }),
    disableClient: (request) => switchClient(directory, request, { disabled: true, nowMs: clock.nowMs() }),
    resetAccessToken: (request) => resetAccessToken(directory, request, clock),
    deleteClient: (request) => deleteClient(directory, request),
    listAuditHistory: (request) => history(request, auditOf(directory, "client", param(request, "clientId"))),
    getEntityHistory: (request) => entityHistory(directory, request),
  };
}

function required(directory: Directory, request: ApiRequest): Client {
  const clientId = param(request, "clientId");
  const client = directory.clients.get(clientId);
  if (client) return client;
  throw new ApiError(404, "ResourceNotFound", `Client ${clientId} not found`);
}

function listClients(directory: Directory, request: ApiRequest): ApiResponse {
  const prefix = request.query.get("prefix") ?? "";
  const clients = sortedBy(directory.clients.values(), ({ clientId }) => clientId)
    .filter(({ clientId }) => clientId.startsWith(prefix));
  const page = paginate(clients, { query: request.query, key: ({ clientId }) => clientId });
  return { body: { clients: page.items.map((client) => describe(directory, client)), ...page.more } };
}

function createClient(directory: Directory, request: ApiRequest, clock: Clock): ApiResponse {
  const clientId = param(request, "clientId");
  const body = bodyAs<ClientBody>(request);
  request.authorize({ scopes: body.scopes ?? [] });
  if (!/^[A-Za-z0-9!@/:.+|_-]+$/.test(clientId)) {
    throw new ApiError(
      400,
      "InvalidRequestArguments",
      `Invalid clientId ${clientId}: it has characters that are not allowed`,
    );
  }
  if (directory.clients.has(clientId)) {
    throw new ApiError(409, "RequestConflict", `Client ${clientId} already exists`);
  }
  const nowMs = clock.nowMs();
  const client: Client = {
    clientId,
    accessToken: newAccessToken(),
    ...fieldsOf(body),
    createdMs: nowMs,
    modifiedMs: nowMs,
    rotatedMs: nowMs,
    disabled: false,
  };
  keep(directory, request, { client, actionType: "created" });
  return { body: { ...describe(directory, client), accessToken: client.accessToken } };
}

function updateClient(directory: Directory, request: ApiRequest, clock: Clock): ApiResponse {
  const before = required(directory, request);
  const body = bodyAs<ClientBody>(request);
  const { scopes = before.scopes } = body;
  request.authorize({ scopesAdded: scopes.filter((scope) => !before.scopes.includes(scope)) });
  const client = { ...before, ...fieldsOf({ ...body, scopes }), modifiedMs: clock.nowMs() };
  keep(directory, request, { client, actionType: "updated" });
  return { body: describe(directory, client) };
}

function switchClient(
  directory: Directory,
  request: ApiRequest,
  { disabled, nowMs }: { disabled: boolean; nowMs: number },
): ApiResponse {
  const client = { ...required(directory, request), disabled, modifiedMs: nowMs };
  keep(directory, request, { client, actionType: disabled ? "disabled" : "enabled" });
  return { body: describe(directory, client) };
}

function resetAccessToken(directory: Directory, request: ApiRequest, clock: Clock): ApiResponse {
  const nowMs = clock.nowMs();
  const accessToken = newAccessToken();
  const client = { ...required(directory, request), accessToken, rotatedMs: nowMs, modifiedMs: nowMs };
  keep(directory, request, { client, actionType: "reset access token" });
  return { body: { ...describe(directory, client), accessToken } };
}

function deleteClient(directory: Directory, request: ApiRequest): ApiResponse {
  const entityId = param(request, "clientId");
  if (directory.clients.delete(entityId)) {
    directory.record({
      clientId: request.caller.clientId,
      actionType: "deleted",
      entityType: "client",
      entityId,
    });
  }
  return {};
}

function entityHistory(directory: Directory, request: ApiRequest): ApiResponse {
  const type = param(request, "entityType");
  if (type !== "client" && type !== "role") {
    throw new ApiError(
      400,
      "InvalidRequestArguments",
      `Invalid entityType ${type}: known are client and role`,
    );
  }
  return history(request, auditOf(directory, type, param(request, "entityId")));
}

function auditOf(directory: Directory, type: AuditRecord["entityType"], entityId: string): AuditRecord[] {
  return directory.audit.filter((record) => record.entityType === type && record.entityId === entityId);
}

function history(request: ApiRequest, records: readonly AuditRecord[]): ApiResponse {
  const numbered = records.map((record, place) => ({ record, key: String(place).padStart(9, "0") }));
  const page = paginate(numbered, { query: request.query, key: ({ key }) => key });
  const auditHistory = page.items.map(({ record: { createdMs, ...record } }) => ({
    ...record,
    created: formatTimestamp(createdMs),
  }));
  return { body: { auditHistory, ...page.more } };
}

function keep(
  directory: Directory,
  request: ApiRequest,
  { client, actionType }: { client: Client; actionType: AuditRecord["actionType"] },
): void {
  directory.clients.set(client.clientId, client);
  const { clientId } = request.caller;
  directory.record({ clientId, actionType, entityType: "client", entityId: client.clientId });
}

function fieldsOf({ expires, description, scopes = [], deleteOnExpiration = false }: ClientBody) {
  return { description, scopes, deleteOnExpiration, expiresMs: timeMs(expires, "expires") };
}

function describe(directory: Directory, client: Client) {
  const { clientId, description, scopes, disabled, deleteOnExpiration } = client;
  return {
    clientId,
    description,
    scopes,
    disabled,
    deleteOnExpiration,
    expires: formatTimestamp(client.expiresMs),
    created: formatTimestamp(client.createdMs),
    lastModified: formatTimestamp(client.modifiedMs),
    lastDateUsed: formatTimestamp(client.modifiedMs),
    lastRotated: formatTimestamp(client.rotatedMs),
    expandedScopes: directory.expand(scopes),
  };
}
