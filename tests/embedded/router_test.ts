import { strict as assert } from "node:assert";
import { serviceReferences } from "../../src/embedded/api_reference.ts";
import { Router } from "../../src/embedded/router.ts";

const router = new Router(serviceReferences);

const found: [string, string, string, Record<string, string>][] = [
  ["POST", "/api/queue/v1/claim-work/prov%2Ftype", "claimWork", { taskQueueId: "prov/type" }],
  ["GET", "/api/queue/v1/task/T/artifacts/public/a/b%20c", "getLatestArtifact", {
    taskId: "T",
    name: "public/a/b c",
  }],
  ["GET", "/api/queue/v1/task/T/artifacts/public%2Fa", "getLatestArtifact", {
    taskId: "T",
    name: "public/a",
  }],
  ["HEAD", "/api/queue/v1/task/T/runs/0/artifacts/a", "getArtifact", { taskId: "T", runId: "0", name: "a" }],
  ["PUT", "/api/queue/v1/task/T", "createTask", { taskId: "T" }],
  ["GET", "/api/auth/v1/clients/", "listClients", {}],
  ["GET", "/api/auth/v1/clients/a%2Fb", "client", { clientId: "a/b" }],
  ["GET", "/api/purge-cache/v1/purge-cache/list", "allPurgeRequests", {}],
  ["GET", "/api/index/v1/namespaces/", "listNamespaces", { namespace: "" }],
  ["GET", "/api/secrets/v1/secret/project/x", "get", { name: "project/x" }],
  ["GET", "/api/worker-manager/v1/worker-pool-errors/stats", "workerPoolErrorStats", {}],
];
for (const [method, path, name, params] of found) {
  Deno.test(`Router finds ${name} for ${method} ${path}`, () => {
    const match = router.match(method, path);
    assert.deepEqual([match?.entry.name, match?.params], [name, params]);
  });
}

const unknown: [string, string][] = [
  ["GET", "/api/queue/v2/ping"],
  ["GET", "/api/queue/v1/task/a/b"],
  ["POST", "/api/queue/v1/claim-work/prov/type"],
  ["DELETE", "/api/queue/v1/task/T"],
  ["GET", "/api/nothing/v1/ping"],
  ["GET", "/api/queue/v1/task//status"],
  ["GET", "/"],
];
for (const [method, path] of unknown) {
  Deno.test(`Router finds nothing for ${method} ${path}`, () => {
    assert.equal(router.match(method, path), undefined);
  });
}

Deno.test("Router refuses parameters that are not UTF-8", () => {
  assert.throws(() => router.match("GET", "/api/queue/v1/task/%ff"), /not percent-encoded UTF-8/);
});
