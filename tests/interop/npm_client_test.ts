import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";
import { Readable, Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { type Deployment, withDeployment } from "./deployment.ts";
import { type NpmCredentials, type ServiceClient, taskcluster } from "./npm_client.ts";

type ServiceName = "Auth" | "Index" | "Object" | "PurgeCache" | "Queue" | "Secrets" | "WorkerManager";

/** Clients of one deployment, and what tests do with them again and again. */
class Clients {
  readonly root: NpmCredentials;
  readonly #rootUrl: string;

  constructor(deployment: Deployment) {
    this.#rootUrl = deployment.TASKCLUSTER_ROOT_URL;
    this.root = {
      clientId: deployment.TASKCLUSTER_CLIENT_ID,
      accessToken: deployment.TASKCLUSTER_ACCESS_TOKEN,
    };
  }

  of(service: ServiceName, credentials: unknown = this.root, options: { authorizedScopes?: string[] } = {}) {
    return new taskcluster[service]({
      rootUrl: this.#rootUrl,
      credentials: credentials as NpmCredentials,
      retries: 0,
      ...options,
    });
  }

  anonymous(service: ServiceName) {
    return new taskcluster[service]({ rootUrl: this.#rootUrl, retries: 0 });
  }

  /** Creates a task and claims it; `run` is a queue client with the run's credentials. */
  async claimedTask(): Promise<{ taskId: string; run: ServiceClient; claim: Claim }> {
    const taskId = taskcluster.slugid();
    const queue = this.of("Queue");
    await queue["createTask"]?.(taskId, definition());
    const { tasks } = await queue["claimWork"]!(pool, { workerGroup: "lab", workerId: "box-1", tasks: 4 });
    const [claim, ...others] = tasks as Claim[];
    assert.ok(claim);
    assert.deepEqual([claim.status.taskId, others], [taskId, []]);
    return { taskId, run: this.of("Queue", claim.credentials), claim };
  }
}

interface Claim {
  readonly status: { readonly taskId: string };
  readonly takenUntil: string;
  readonly credentials: NpmCredentials;
}

const pool = "interop/npm";

function definition() {
  return {
    taskQueueId: pool,
    created: taskcluster.fromNowJSON("0 seconds"),
    deadline: taskcluster.fromNowJSON("1 hour"),
    payload: {},
    metadata: {
      name: "interop",
      description: "A task of the interop tests",
      owner: "someone@example.com",
      source: "https://example.com/",
    },
  };
}

function interopTest(name: string, use: (clients: Clients) => Promise<void>): void {
  Deno.test(`the npm client ${name}`, async () => {
    try {
      await withDeployment((deployment) => use(new Clients(deployment)));
    } finally {
      // Its connections are kept alive for the life of a program, which a test is not.
      taskcluster.agents.http.destroy();
    }
  });
}

/** Checks status and code of a refusal. */
function refused(call: Promise<unknown> | undefined, statusCode: number, code: string): Promise<void> {
  assert.ok(call);
  return assert.rejects(call, (error: { statusCode?: number; code?: string }) => {
    assert.deepEqual([error.statusCode, error.code], [statusCode, code]);
    return true;
  });
}

/** A factory of streams that collect, and what the last one collected. */
function sink() {
  let chunks: Uint8Array[] = [];
  return {
    bytes: () => Buffer.concat(chunks),
    streamFactory: () => {
      chunks = [];
      const stream = new Writable({
        write(chunk: Uint8Array, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      });
      return Promise.resolve(stream);
    },
  };
}

interopTest("claims, reclaims and resolves a task", async (clients) => {
  const { taskId, run, claim } = await clients.claimedTask();
  const reclaimed = await run["reclaimTask"]!(taskId, 0) as unknown as Claim;
  assert.ok(reclaimed.takenUntil >= claim.takenUntil);
  await clients.of("Queue", reclaimed.credentials)["reportCompleted"]!(taskId, 0);
  const { status } = await clients.anonymous("Queue")["status"]!(taskId);
  assert.equal((status as { state: string }).state, "completed");
  await refused(run["reportFailed"]?.(taskId, 0), 409, "RequestConflict");
});

interopTest("uploads artifacts to the store and downloads them with its helper", async (clients) => {
  const { taskId, run } = await clients.claimedTask();
  const data = Buffer.from("Zeile\n".repeat(50_000));
  const expires = taskcluster.fromNowJSON("1 hour");
  const s3 = { storageType: "s3", contentType: "text/plain", expires };
  const { putUrl } = await run["createArtifact"]!(taskId, 0, "private/log.txt", s3);
  const put = await fetch(String(putUrl), {
    method: "PUT",
    headers: { "Content-Type": "text/plain", "Content-Encoding": "gzip" },
    body: new Uint8Array(gzipSync(data)),
  });
  assert.deepEqual([put.status, await put.text()], [200, ""]);
  const target = sink();
  const queue = clients.of("Queue");
  await taskcluster.downloadArtifact({ taskId, runId: 0, name: "private/log.txt", queue, ...target });
  assert.ok(target.bytes().equals(data));
  const signed = queue.buildSignedUrl(queue["getLatestArtifact"], taskId, "private/log.txt");
  assert.equal(await (await fetch(signed)).text(), data.toString());
  const plain = await fetch(queue.buildUrl(queue["getLatestArtifact"], taskId, "private/log.txt"));
  assert.deepEqual([plain.status, (await plain.json() as { code: string }).code], [
    403,
    "InsufficientScopes",
  ]);
});

interopTest("moves object artifacts and objects of every size with its helpers", async (clients) => {
  const { taskId, run } = await clients.claimedTask();
  const expires = taskcluster.fromNowJSON("1 hour");
  const contentType = "application/x-interop";
  const object = clients.of("Object");
  for (const size of [0, 8191, 8192, 300_000]) {
    const data = Buffer.alloc(size, "abcdefg");
    const streamFactory = () => Promise.resolve(Readable.from(size === 0 ? [] : [data]));
    const common = { contentType, contentLength: size, streamFactory };
    const name = `size ${size}`;
    await taskcluster.upload({ ...common, projectId: "interop", name, expires, object });
    const target = sink();
    assert.equal(await taskcluster.download({ name, object, ...target }), contentType);
    assert.ok(target.bytes().equals(data), name);

    const answer = await run["createArtifact"]!(taskId, 0, name, {
      storageType: "object",
      contentType,
      expires,
    });
    const ids = answer as { name: string; projectId: string; uploadId: string; expires: string };
    await taskcluster.upload({ ...common, ...ids, object: clients.of("Object", answer["credentials"]) });
    await run["finishArtifact"]!(taskId, 0, name, { uploadId: ids.uploadId });
    const artifact = sink();
    await taskcluster.downloadArtifact({ taskId, name, queue: clients.of("Queue"), ...artifact });
    assert.ok(artifact.bytes().equals(data), `artifact ${name}`);
  }
});

interopTest("stores secrets, index entries and purge requests", async (clients) => {
  const secrets = clients.of("Secrets");
  const name = "project/interop/thing: ä";
  const expires = taskcluster.fromNowJSON("1 hour");
  await secrets["set"]!(name, { secret: { key: "value" }, expires });
  assert.deepEqual(await secrets["get"]!(name), { secret: { key: "value" }, expires });
  assert.deepEqual(await secrets["list"]!(), { secrets: [name] });
  await secrets["remove"]!(name);
  await refused(secrets["get"]?.(name), 404, "ResourceNotFound");

  const index = clients.of("Index");
  const entry = { taskId: taskcluster.slugid(), rank: 1, data: {}, expires };
  await index["insertTask"]!("interop.npm.latest", entry);
  assert.deepEqual(await index["findTask"]!("interop.npm.latest"), {
    ...entry,
    namespace: "interop.npm.latest",
  });
  const root = await index["listNamespaces"]!("");
  assert.deepEqual(root, { namespaces: [{ namespace: "interop", name: "interop", expires }] });
  const { namespaces } = await index["listNamespaces"]!("interop");
  assert.deepEqual(namespaces, [{ namespace: "interop.npm", name: "npm", expires }]);

  const purgeCache = clients.of("PurgeCache");
  await purgeCache["purgeCache"]!(pool, { cacheName: "checkouts" });
  const { requests } = await purgeCache["purgeRequests"]!(pool, {
    since: taskcluster.fromNowJSON("-1 hour"),
  });
  assert.deepEqual((requests as { cacheName: string }[]).map((request) => request.cacheName), ["checkouts"]);
});

interopTest("makes temporary credentials that hold their scopes and no more", async (clients) => {
  const secrets = clients.of("Secrets");
  const value = { secret: { open: "sesame" }, expires: taskcluster.fromNowJSON("1 hour") };
  await secrets["set"]!("guarded", value);
  const temporary = (change = {}) =>
    taskcluster.createTemporaryCredentials({
      start: new Date(Date.now() - 60_000),
      expiry: new Date(Date.now() + 60_000),
      scopes: ["secrets:get:guarded"],
      credentials: clients.root,
      ...change,
    });
  for (const credentials of [temporary(), temporary({ clientId: "project/interop/named" })]) {
    const reader = clients.of("Secrets", credentials);
    assert.deepEqual(await reader["get"]!("guarded"), value);
    await refused(reader["remove"]?.("guarded"), 403, "InsufficientScopes");
    const url = reader.buildSignedUrl(reader["get"], "guarded");
    assert.deepEqual(await (await fetch(url)).json(), value);
    const forged = await fetch(url.replace("guarded", "another"));
    assert.deepEqual([forged.status, (await forged.json() as { code: string }).code], [
      401,
      "AuthenticationFailed",
    ]);
  }
  const expired = temporary({ start: new Date(Date.now() - 120_000), expiry: new Date(Date.now() - 60_000) });
  await refused(clients.of("Secrets", expired)["get"]?.("guarded"), 401, "AuthenticationFailed");
  const restricted = clients.of("Secrets", clients.root, { authorizedScopes: ["secrets:list-secrets"] });
  await refused(restricted["get"]?.("guarded"), 403, "InsufficientScopes");
  await refused(clients.anonymous("Secrets")["get"]?.("guarded"), 403, "InsufficientScopes");
});
