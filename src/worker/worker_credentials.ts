/** The worker's own credentials: those of its config file, until a supervisor gives others. */

import type { Config } from "../config/config.ts";
import { type Credentials, credentialsFromWire } from "../services/credentials.ts";
import type { NewCredentials } from "../runner/supervisor.ts";

export class WorkerCredentials {
  #current: Credentials;

  constructor(config: Pick<Config, "clientId" | "accessToken" | "certificate">) {
    this.#current = credentialsFromWire({
      clientId: config.clientId,
      accessToken: config.accessToken.reveal(),
      certificate: config.certificate.reveal(),
    });
  }

  get current(): Credentials {
    return this.#current;
  }

  /** From now on; calls under way keep the ones they were signed with. */
  replace(fresh: NewCredentials): void {
    this.#current = credentialsFromWire(fresh);
  }
}
