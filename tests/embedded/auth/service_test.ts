import { strict as assert } from "node:assert";
import { createHmac } from "node:crypto";
import { serviceReferences } from "../../../src/embedded/api_reference.ts";
import { Secret } from "../../../src/base/secret.ts";
import { credentialsFromWire } from "../../../src/services/credentials.ts";
import { Cluster } from "../cluster.ts";

/** Credentials of clouds and code hosts: nothing a worker asks for. */
const leftOut = new Set([
  "awsS3Credentials",
  "azureAccounts",
  "azureTables",
  "azureTableSAS",
  "azureContainers",
  "azureContainerSAS",
  "gcpCredentials",
  "githubRepoToken",
]);

Deno.test("every entry of auth's reference answers or is left out on purpose, and answers fit their schemas", async () => {
  await using cluster = await Cluster.start({
    settings: { sentryUrl: "https://sentry.example", websocktunnelSecret: "tunnel" },
  });
  const expires = cluster.clock.timestamp(60_000);
  const client = { params: { clientId: "mine/a" } };
  await cluster.ok("auth.createClient", { ...client, body: { expires, description: "d", scopes: ["a"] } });
  await cluster.ok("auth.updateClient", { ...client, body: { expires, description: "e" } });
  for (const entry of ["client", "disableClient", "enableClient", "resetAccessToken", "listAuditHistory"]) {
    await cluster.ok(`auth.${entry}`, client);
  }
  await cluster.ok("auth.listClients", { query: { prefix: "mine/" } });
  const role = { params: { roleId: "hook:*" } };
  await cluster.ok("auth.createRole", { ...role, body: { description: "", scopes: ["run:<..>"] } });
  await cluster.ok("auth.updateRole", { ...role, body: { description: "", scopes: ["run:<..>", "b"] } });
  for (
    const entry of [
      "listRoles",
      "listRoles2",
      "listRoleIds",
      "currentScopes",
      "ping",
      "version",
      "heartbeat",
      "lbheartbeat",
    ]
  ) {
    await cluster.ok(`auth.${entry}`);
  }
  await cluster.ok("auth.role", role);
  await cluster.ok("auth.expandScopes", { body: { scopes: ["assume:hook:x"] } });
  await cluster.ok("auth.getEntityHistory", { params: { entityType: "role", entityId: "hook:*" } });
  await cluster.ok("auth.sentryDSN", { params: { project: "worker" } });
  await cluster.ok("auth.websocktunnelToken", {
    params: { wstAudience: "dep", wstClient: "group.worker.1" },
  });
  await cluster.ok("auth.authenticateHawk", {
    body: { method: "get", resource: "/", host: "localhost", port: 80 },
  });
  const tester = { clientId: "tester", accessToken: new Secret("no-secret") };
  await cluster.ok("auth.testAuthenticateGet", { as: tester });
  await cluster.ok("auth.testAuthenticate", {
    as: tester,
    body: { clientScopes: ["a"], requiredScopes: ["a"] },
  });
  await cluster.ok("auth.deleteRole", role);
  await cluster.ok("auth.deleteClient", client);

  const reference = serviceReferences.find(({ serviceName }) => serviceName === "auth");
  const missed = (reference?.entries ?? [])
    .map(({ name }) => name)
    .filter((name) => cluster.tc.requests.count(`auth.${name}`) === 0);
  assert.deepEqual(new Set(missed), leftOut);
  const left = await cluster.refusal("auth.azureAccounts");
  assert.equal(left, "404 ResourceNotFound");
});

Deno.test("a client can do what its scopes and their roles say, until it is deleted", async () => {
  await using cluster = await Cluster.start();
  await cluster.ok("auth.createRole", {
    params: { roleId: "repo:*" },
    body: { description: "", scopes: ["secrets:get:<..>"] },
  });
  const created = await cluster.ok<{ clientId: string; accessToken: string; expandedScopes: string[] }>(
    "auth.createClient",
    {
      params: { clientId: "robot" },
      body: { expires: cluster.clock.timestamp(60_000), description: "", scopes: ["assume:repo:x"] },
    },
  );
  assert.deepEqual(created.expandedScopes, ["assume:repo:x", "secrets:get:x"]);
  const as = credentialsFromWire(created);
  const get = (name: string) => cluster.refusal("secrets.get", { params: { name }, as });
  assert.equal(await get("x"), "404 ResourceNotFound");
  assert.equal(await get("y"), "403 InsufficientScopes");
  await cluster.ok("auth.deleteClient", { params: { clientId: "robot" } });
  assert.equal(await get("x"), "401 AuthenticationFailed");
});

Deno.test("nobody gives away scopes they do not have", async () => {
  await using cluster = await Cluster.start();
  const as = cluster.tc.createClient("giver", [
    "auth:create-client:*",
    "auth:update-client:*",
    "auth:create-role:*",
    "a",
  ]);
  const expires = cluster.clock.timestamp(60_000);
  const client = (scopes: string[]) => ({
    params: { clientId: "c" },
    as,
    body: { expires, description: "", scopes },
  });
  assert.equal(await cluster.refusal("auth.createClient", client(["b"])), "403 InsufficientScopes");
  await cluster.ok("auth.createClient", client(["a"]));
  assert.equal(await cluster.refusal("auth.createClient", client(["a"])), "409 RequestConflict");
  assert.equal(await cluster.refusal("auth.updateClient", client(["a", "b"])), "403 InsufficientScopes");
  const role = { params: { roleId: "r" }, as, body: { description: "", scopes: ["b"] } };
  assert.equal(await cluster.refusal("auth.createRole", role), "403 InsufficientScopes");
});

Deno.test("the history of a client tells what was done to it, and by whom", async () => {
  await using cluster = await Cluster.start();
  const params = { clientId: "c" };
  const body = { expires: cluster.clock.timestamp(60_000), description: "" };
  await cluster.ok("auth.createClient", { params, body });
  await cluster.clock.advance(1000);
  await cluster.ok("auth.disableClient", { params });
  const { auditHistory } = await cluster.ok<{ auditHistory: Record<string, string>[] }>(
    "auth.listAuditHistory",
    {
      params,
    },
  );
  assert.deepEqual(auditHistory.map(({ actionType, created }) => [actionType, created]), [
    ["created", cluster.clock.timestamp(-1000)],
    ["disabled", cluster.clock.timestamp()],
  ]);
  assert.equal(auditHistory[0]?.["clientId"], "static/taskcluster/root");
});

Deno.test("authenticateHawk judges a request for another service", async () => {
  await using cluster = await Cluster.start();
  const { credentials } = cluster.tc;
  const authorization = cluster.sign("GET", "https://other.example/path?x=1", { credentials });
  const request = { method: "get", resource: "/path?x=1", host: "other.example", port: 443, authorization };
  const good = await cluster.ok("auth.authenticateHawk", { body: request, as: null });
  assert.deepEqual([good.status, good.clientId, good.scopes], ["auth-success", credentials.clientId, ["*"]]);
  const bad = await cluster.ok("auth.authenticateHawk", {
    body: { ...request, resource: "/other" },
    as: null,
  });
  assert.deepEqual([bad.status, bad.message], ["auth-failed", "Bad mac"]);
});

Deno.test("testAuthenticate tells a client developer whether the signature is right", async () => {
  await using cluster = await Cluster.start();
  const tester = { clientId: "tester", accessToken: new Secret("no-secret") };
  const body = { clientScopes: ["a:*", "b"], requiredScopes: ["a:1"] };
  assert.deepEqual(await cluster.ok("auth.testAuthenticate", { as: tester, body }), {
    clientId: "tester",
    scopes: ["a:*", "b"],
  });
  const wrong = { ...tester, accessToken: new Secret("wrong") };
  assert.equal(
    await cluster.refusal("auth.testAuthenticate", { as: wrong, body }),
    "401 AuthenticationFailed",
  );
  const missing = { ...body, requiredScopes: ["c"] };
  const refusal = await cluster.refusal("auth.testAuthenticate", { as: tester, body: missing });
  assert.equal(refusal, "403 InsufficientScopes");
  const scopes = ["auth:create-client:test:*", "test:*"];
  assert.deepEqual(await cluster.ok("auth.testAuthenticateGet", { as: tester }), {
    clientId: "tester",
    scopes,
  });
});

Deno.test("websocktunnelToken is signed with the tunnel's secret and names client and audience", async () => {
  await using cluster = await Cluster.start({ settings: { websocktunnelSecret: "tunnel" } });
  const params = { wstAudience: "dep", wstClient: "group.worker.1" };
  const { token, expires } = await cluster.ok<{ token: string; expires: string }>("auth.websocktunnelToken", {
    params,
  });
  const [head = "", claims = "", signature] = token.split(".");
  assert.equal(signature, createHmac("sha256", "tunnel").update(`${head}.${claims}`).digest("base64url"));
  const { tid, aud, exp } = JSON.parse(atob(claims));
  assert.deepEqual([tid, aud, exp * 1000], ["group.worker.1", "dep", Date.parse(expires)]);
});

Deno.test("sentryDSN and websocktunnelToken answer 404 where there is neither", async () => {
  await using cluster = await Cluster.start();
  assert.equal(await cluster.refusal("auth.sentryDSN", { params: { project: "p" } }), "404 ResourceNotFound");
  const params = { wstAudience: "dep", wstClient: "c" };
  assert.equal(await cluster.refusal("auth.websocktunnelToken", { params }), "404 ResourceNotFound");
});
