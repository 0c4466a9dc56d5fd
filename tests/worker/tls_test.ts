/** A deployment behind a certificate that only this machine trusts. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { tlsDoor } from "../support/tls_door.ts";
import { shell, withDeployment } from "../support/worker.ts";

interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

/** An authority, and a certificate for 127.0.0.1 that it has signed. */
async function certificates(directory: string): Promise<{ authority: Certificate; server: Certificate }> {
  const paths = (name: string) => ({
    certPath: join(directory, `${name}.pem`),
    keyPath: join(directory, `${name}-key.pem`),
  });
  const [authority, server] = [paths("authority"), paths("server")];
  await createCertificate(authority, ["-subj", "/CN=authority"]);
  await createCertificate(server, [
    ...["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-CA", authority.certPath, "-CAkey", authority.keyPath],
  ]);
  return { authority, server };
}

async function createCertificate({ certPath, keyPath }: Certificate, options: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
      ...["-out", certPath, "-keyout", keyPath, ...options],
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test("a worker trusts what its machine trusts, and tells tasks nothing of it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const { authority, server } = await certificates(directory);
    const [cert, key] = await Promise.all(
      [server.certPath, server.keyPath].map((path) => Deno.readTextFile(path)),
    );
    await withDeployment({ environment: { SSL_CERT_FILE: authority.certPath } }, async (deployment) => {
      const door = tlsDoor({
        cert: cert!,
        key: key!,
        port: Number(new URL(deployment.taskcluster.rootUrl).port),
      });
      const worker = await deployment.startWorker({ rootURL: `https://127.0.0.1:${door.port}` });
      const { taskId, resolution } = await deployment.run(shell("env"));
      assert.equal(resolution, "completed/completed");
      assert.doesNotMatch(await deployment.log(taskId), /DENO_TLS_CA_STORE/);
      await worker.end();
      await door.close();
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
