/** Makes the program trust what its machine trusts: deployments behind certificates of their own need it. */

import type { Platform } from "../platform/platform.ts";

/** The runtime reads it before its first TLS connection. */
const variable = "DENO_TLS_CA_STORE";

/**
 * Adds the machine's store of certificates to the built-in ones, unless the operator has chosen already. To be called
 * before any connection, and after the environment for tasks was taken.
 */
export function trustSystemCertificates(platform: Platform): void {
  if (Deno.env.get(variable) !== undefined || !platform.hasCertificateStore()) return;
  Deno.env.set(variable, "system,mozilla");
}
