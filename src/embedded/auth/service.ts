/** The handlers of the auth service. */

import type { Clock } from "../../base/clock.ts";
import type { EmbeddedService } from "../service.ts";
import type { Authenticator } from "./authenticator.ts";
import { clientHandlers } from "./client_handlers.ts";
import type { Directory } from "./directory.ts";
import { roleHandlers } from "./role_handlers.ts";
import { signatureHandlers } from "./signature_handlers.ts";
import { tokenHandlers } from "./token_handlers.ts";

export interface AuthServiceOptions {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly authenticator: Authenticator;
  /** Where `auth.sentryDSN` points to, with project name added; absent: the entry answers 404. */
  readonly sentryUrl?: string;
  /** The key websocktunnel tokens are signed with; absent: the entry answers 404. */
  readonly websocktunnelSecret?: string;
}

/** Clients, roles, scopes, signatures and tokens. Credentials of clouds are left out. */
export function createAuthService(options: AuthServiceOptions): EmbeddedService {
  const { clock, directory, authenticator } = options;
  return {
    service: "auth",
    handlers: {
      ...clientHandlers(directory, clock),
      ...roleHandlers(directory, clock),
      ...signatureHandlers(authenticator, clock),
      ...tokenHandlers(options),
    },
  };
}
