import { strict as assert } from "node:assert";
import { client as hawk } from "hawk";
import taskcluster from "taskcluster-client";
import { Secret } from "../../../src/base/secret.ts";
import { type Credentials, credentialsFromWire } from "../../../src/services/credentials.ts";
import { issueTemporaryCredentials } from "../../../src/embedded/auth/temporary_credentials.ts";
import { Cluster } from "../cluster.ts";

const minuteMs = 60_000;
const failed = "401 AuthenticationFailed";

/** Clients `issuer` and `weak`, and temporary credentials in any state. */
class Forge implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly issuer: Credentials;

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.issuer = cluster.tc.createClient("issuer", [
      "auth:create-client:temp/*",
      "secrets:get:*",
      "auth:current-scopes",
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  issue(
    changes: {
      clientId?: string;
      scopes?: string[];
      startMs?: number;
      expiryMs?: number;
      issuer?: Credentials;
    } = {},
  ): Credentials {
    const nowMs = this.cluster.clock.nowMs();
    const { issuer = this.issuer } = changes;
    return credentialsFromWire(issueTemporaryCredentials({
      clientId: "temp/one",
      scopes: ["secrets:get:a", "auth:current-scopes"],
      startMs: nowMs,
      expiryMs: nowMs + minuteMs,
      ...changes,
      issuer: { clientId: issuer.clientId, accessToken: issuer.accessToken.reveal() },
    }));
  }

  /** `ok`, or status and code of the refusal. */
  async judge(as: Credentials, authorizedScopes?: readonly string[]): Promise<string> {
    const { status, body } = await this.cluster.call("auth.currentScopes", {
      as,
      ...(authorizedScopes ? { authorizedScopes } : {}),
    });
    return status === 200 ? "ok" : `${status} ${body.code}`;
  }
}

async function start(): Promise<Forge> {
  return new Forge(await Cluster.start());
}

/** The same credentials with another certificate. */
function altered(
  credentials: Credentials,
  change: (certificate: Record<string, unknown>) => void,
): Credentials {
  const certificate = JSON.parse(credentials.certificate?.reveal() ?? "");
  change(certificate);
  return { ...credentials, certificate: new Secret(JSON.stringify(certificate)) };
}

Deno.test("permanent credentials are taken, and refused with another access token or an unknown name", async () => {
  await using forge = await start();
  assert.equal(await forge.judge(forge.issuer), "ok");
  assert.equal(await forge.judge({ ...forge.issuer, accessToken: new Secret("wrong") }), failed);
  assert.equal(await forge.judge({ ...forge.issuer, clientId: "nobody" }), failed);
});

Deno.test("a refusal to authenticate says why", async () => {
  await using forge = await start();
  const { body } = await forge.cluster.call("auth.currentScopes", {
    as: { ...forge.issuer, clientId: "nobody" },
  });
  assert.match(String(body.message), /^no such client: nobody\n/);
});

Deno.test("signatures may be a quarter of an hour off, and not more", async () => {
  await using forge = await start();
  const url = `${forge.cluster.tc.rootUrl}/api/auth/v1/scopes/current`;
  const statuses: number[] = [];
  for (const offMs of [-16, -15, 15, 16].map((minutes) => minutes * minuteMs)) {
    const timestampMs = forge.cluster.clock.nowMs() + offMs;
    const authorization = forge.cluster.sign("GET", url, { credentials: forge.issuer, timestampMs });
    const response = await fetch(url, { headers: { authorization } });
    await response.body?.cancel();
    statuses.push(response.status);
  }
  assert.deepEqual(statuses, [401, 200, 200, 401]);
});

Deno.test("a signature is for one method, path and host", async () => {
  await using forge = await start();
  const { rootUrl } = forge.cluster.tc;
  const url = `${rootUrl}/api/auth/v1/scopes/current`;
  const signed = [
    forge.cluster.sign("POST", url, { credentials: forge.issuer }),
    forge.cluster.sign("GET", `${url}?limit=1`, { credentials: forge.issuer }),
    forge.cluster.sign("GET", url.replace("127.0.0.1", "localhost"), { credentials: forge.issuer }),
    'Hawk id="issuer"',
    "Bearer token",
  ];
  for (const authorization of signed) {
    const response = await fetch(url, { headers: { authorization } });
    await response.body?.cancel();
    assert.equal(response.status, 401, authorization);
  }
});

Deno.test("temporary credentials give the scopes of their certificate until they expire", async () => {
  await using forge = await start();
  const as = forge.issue();
  const { scopes } = await forge.cluster.ok<{ scopes: string[] }>("auth.currentScopes", { as });
  assert.ok(scopes.includes("secrets:get:a"));
  assert.ok(!scopes.includes("secrets:get:*"));
  await forge.cluster.clock.advance(minuteMs);
  assert.equal(await forge.judge(as), failed);
});

const forgeries: [string, (forge: Forge) => Credentials][] = [
  [
    "with more scopes than were signed",
    (forge) => altered(forge.issue(), (cert) => cert.scopes = ["secrets:get:*"]),
  ],
  ["with a longer life than was signed", (forge) => altered(forge.issue(), (cert) => cert.expiry = 2e12)],
  ["under another name than was signed", (forge) => ({ ...forge.issue(), clientId: "temp/two" })],
  ["of another version", (forge) => altered(forge.issue(), (cert) => cert.version = 2)],
  ["without seed", (forge) => altered(forge.issue(), (cert) => delete cert.seed)],
  ["whose issuer may not give that name", (forge) => forge.issue({ clientId: "other" })],
  ["whose issuer does not have the scopes", (forge) => forge.issue({ scopes: ["secrets:set:a"] })],
  ["that name their issuer", (forge) => forge.issue({ clientId: "issuer" })],
  ["that begin later", (forge) => forge.issue({ startMs: forge.cluster.clock.nowMs() + 16 * minuteMs })],
  ["that live longer than 31 days", (forge) => {
    const startMs = forge.cluster.clock.nowMs();
    return forge.issue({ startMs, expiryMs: startMs + 31 * 24 * 60 * minuteMs + 1 });
  }],
];
for (const [what, credentials] of forgeries) {
  Deno.test(`temporary credentials ${what} are refused`, async () => {
    await using forge = await start();
    assert.equal(await forge.judge(credentials(forge)), failed);
  });
}

Deno.test("a disabled, expired or rotated client takes its temporary credentials with it", async () => {
  await using forge = await start();
  const { cluster } = forge;
  const as = forge.issue({ expiryMs: cluster.clock.nowMs() + 60 * minuteMs });
  const params = { clientId: "issuer" };
  await cluster.ok("auth.disableClient", { params });
  assert.equal(await forge.judge(as), failed);
  await cluster.ok("auth.enableClient", { params });
  assert.equal(await forge.judge(as), "ok");
  const body = { expires: cluster.clock.timestamp(minuteMs), description: "" };
  await cluster.ok("auth.updateClient", { params, body });
  await cluster.clock.advance(minuteMs);
  assert.equal(await forge.judge(as), failed);
  await cluster.ok("auth.updateClient", {
    params,
    body: { ...body, expires: cluster.clock.timestamp(minuteMs) },
  });
  assert.equal(await forge.judge(as), "ok");
  await cluster.ok("auth.resetAccessToken", { params });
  assert.equal(await forge.judge(as), failed);
});

Deno.test("authorizedScopes restrict a call, and may not overstep", async () => {
  await using forge = await start();
  assert.equal(await forge.judge(forge.issuer, ["secrets:get:b", "auth:current-scopes"]), "ok");
  assert.equal(await forge.judge(forge.issuer, ["secrets:set:b"]), failed);
  const name = { params: { name: "a" }, as: forge.issuer };
  assert.equal(await forge.cluster.refusal("secrets.get", name), "404 ResourceNotFound");
  const authorizedScopes = ["auth:current-scopes"];
  assert.equal(
    await forge.cluster.refusal("secrets.get", { ...name, authorizedScopes }),
    "403 InsufficientScopes",
  );
});

Deno.test("a bewit opens one URL for a time, for GET only", async () => {
  await using forge = await start();
  const { cluster } = forge;
  const url = `${cluster.tc.rootUrl}/api/secrets/v1/secret/a`;
  const bewit = hawk.getBewit(url, {
    credentials: { id: "issuer", key: forge.issuer.accessToken.reveal(), algorithm: "sha256" },
    ttlSec: 60,
    localtimeOffsetMsec: cluster.clock.nowMs() - Date.now(),
  });
  const status = async (target: string, method = "GET") => {
    const response = await fetch(target, { method });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status(`${url}?bewit=${bewit}`), 404, "opened, but there is no such secret");
  assert.equal(await status(`${url}x?bewit=${bewit}`), 401);
  assert.equal(await status(`${url}?bewit=${bewit}`, "DELETE"), 401);
  await cluster.clock.advance(61_000);
  assert.equal(await status(`${url}?bewit=${bewit}`), 401);
});

Deno.test("temporary credentials made by the stock client are taken, named and unnamed", async () => {
  await using cluster = await Cluster.start();
  const issuer = cluster.tc.createClient("stock", ["auth:create-client:named", "auth:current-scopes"]);
  const credentials = { clientId: issuer.clientId, accessToken: issuer.accessToken.reveal() };
  for (const name of [{}, { clientId: "named" }]) {
    const made = taskcluster.createTemporaryCredentials({
      ...name,
      scopes: ["auth:current-scopes"],
      start: new Date(cluster.clock.nowMs()),
      expiry: new Date(cluster.clock.nowMs() + minuteMs),
      credentials,
    });
    const as = credentialsFromWire(made);
    const { status, body } = await cluster.call("auth.currentScopes", { as });
    assert.equal(status, 200, JSON.stringify(body));
  }
});
