/** The machine's certificates are used where they can be loaded, and nowhere else. */

import assert from "node:assert/strict";
import { hasCertificateStore } from "../../../src/platform/linux/certificates.ts";

Deno.test("hasCertificateStore() is false where a variable names a store that is not there", async () => {
  const file = await Deno.makeTempFile();
  try {
    assert.equal(hasCertificateStore({ SSL_CERT_FILE: file }), true);
    assert.equal(hasCertificateStore({ SSL_CERT_FILE: `${file}-missing` }), false);
    assert.equal(hasCertificateStore({ SSL_CERT_FILE: file, SSL_CERT_DIR: `${file}-missing` }), false);
  } finally {
    await Deno.remove(file);
  }
});
