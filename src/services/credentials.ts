/** Taskcluster credentials, permanent or temporary. */

import { Secret } from "../base/secret.ts";

export interface Credentials {
  readonly clientId: string;
  readonly accessToken: Secret;
  /** JSON text of the certificate, for temporary credentials. */
  readonly certificate?: Secret;
}

/** Credentials, or how to learn those of the moment. */
export type CredentialsSource = Credentials | (() => Credentials);

/** Credentials as the services send them (`certificate` absent or empty when permanent). */
export function credentialsFromWire(
  wire: { clientId: string; accessToken: string; certificate?: string | undefined },
): Credentials {
  return {
    clientId: wire.clientId,
    accessToken: new Secret(wire.accessToken),
    ...(wire.certificate ? { certificate: new Secret(wire.certificate) } : {}),
  };
}
