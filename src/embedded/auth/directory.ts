/** Clients and roles: who exists, and what they may do. */

import type { Clock } from "../../base/clock.ts";
import { v4 as slugid } from "slugid";
import { expandedScopes, type RoleScopes } from "./roles.ts";

/** A permanent client. */
export interface Client {
  readonly clientId: string;
  readonly accessToken: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly expiresMs: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly rotatedMs: number;
  readonly disabled: boolean;
  readonly deleteOnExpiration: boolean;
}

/** A named set of scopes. */
export interface Role extends RoleScopes {
  readonly description: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

/** What a change of the directory looks like in the audit history. */
export interface AuditRecord {
  readonly clientId: string;
  readonly actionType: "created" | "updated" | "deleted" | "enabled" | "disabled" | "reset access token";
  readonly entityType: "client" | "role";
  readonly entityId: string;
  readonly createdMs: number;
}

/** The state behind the auth service. */
export class Directory {
  readonly #clock: Clock;
  readonly clients = new Map<string, Client>();
  readonly roles = new Map<string, Role>();
  readonly audit: AuditRecord[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a client that lasts, for the services' own use and for the first person to sign in. */
  addClient(clientId: string, scopes: readonly string[], options: { accessToken?: string } = {}): Client {
    const nowMs = this.#clock.nowMs();
    const client: Client = {
      clientId,
      accessToken: options.accessToken ?? newAccessToken(),
      description: "Part of every embedded Taskcluster",
      scopes,
      expiresMs: nowMs + 100 * 365 * 24 * 60 * 60_000,
      createdMs: nowMs,
      modifiedMs: nowMs,
      rotatedMs: nowMs,
      disabled: false,
      deleteOnExpiration: false,
    };
    this.clients.set(clientId, client);
    return client;
  }

  /** Adds a role, or replaces its scopes. */
  addRole(roleId: string, scopes: readonly string[]): void {
    const nowMs = this.#clock.nowMs();
    const createdMs = this.roles.get(roleId)?.createdMs ?? nowMs;
    this.roles.set(roleId, { roleId, scopes, description: "", createdMs, modifiedMs: nowMs });
  }

  /** The scopes with all that roles add to them. */
  expand(scopes: readonly string[]): string[] {
    return expandedScopes(scopes, this.roles.values());
  }

  /** Writes down who changed what. */
  record(change: Omit<AuditRecord, "createdMs">): void {
    this.audit.push({ ...change, createdMs: this.#clock.nowMs() });
  }
}

/** 44 characters, as access tokens of the real service have them. */
export function newAccessToken(): string {
  return slugid() + slugid();
}
