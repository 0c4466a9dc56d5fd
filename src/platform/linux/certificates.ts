/** Is there a store of certificates on this machine, beside the ones built in? */

/** Where the distributions keep it; the first that exists counts. */
const usualFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * True when the runtime can load it. A variable that names a missing file makes loading fail, and with it every
 * connection, so all that are set must be right.
 */
export function hasCertificateStore(environment: Readonly<Record<string, string | undefined>>): boolean {
  const named = [environment["SSL_CERT_FILE"], environment["SSL_CERT_DIR"]].filter((path) =>
    path !== undefined
  );
  return named.length > 0 ? named.every(exists) : usualFiles.some(exists);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
