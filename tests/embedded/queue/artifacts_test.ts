import { strict as assert } from "node:assert";
import type { CreateArtifactResponse } from "../../../src/services/queue_types.ts";
import { credentialsFromWire } from "../../../src/services/credentials.ts";
import { type Claim, Cluster } from "../cluster.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

async function claimed(): Promise<{ cluster: Cluster; claim: Claim; artifact: ArtifactMaker }> {
  const cluster = await Cluster.start();
  await cluster.create({ expires: cluster.clock.timestamp(2 * dayMs), projectId: "proj" });
  const claim = await cluster.claimOne();
  const artifact: ArtifactMaker = (name, body) => ({
    params: { ...claim.run, name },
    as: claim.as,
    body: { expires: cluster.clock.timestamp(dayMs), ...body },
  });
  return { cluster, claim, artifact };
}

type ArtifactMaker = (name: string, body: Record<string, unknown>) => {
  params: Record<string, string>;
  as: Claim["as"];
  body: Record<string, unknown>;
};

const s3 = { storageType: "s3", contentType: "text/plain" };

async function putUrl(cluster: Cluster, call: ReturnType<ArtifactMaker>): Promise<string> {
  const answer = await cluster.ok<CreateArtifactResponse>("queue.createArtifact", call);
  assert.ok(answer.storageType === "s3");
  return answer.putUrl;
}

async function put(url: string, body: string, contentType = "text/plain"): Promise<number> {
  const response = await fetch(url, { method: "PUT", body, headers: { "content-type": contentType } });
  await response.body?.cancel();
  return response.status;
}

Deno.test("an s3 artifact is uploaded to the URL given, and everybody finds a public one there", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  const answer = await cluster.ok<CreateArtifactResponse>(
    "queue.createArtifact",
    artifact("public/a b/ü%.txt".replace("ü", "u"), s3),
  );
  assert.ok(answer.storageType === "s3");
  assert.equal(answer.expires, cluster.clock.timestamp(45 * minuteMs));
  assert.equal(await put(answer.putUrl, "content"), 200);
  const name = "public/a b/u%.txt";
  const { status, headers, body } = await cluster.call("queue.getArtifact", {
    params: { ...claim.run, name },
    as: null,
  });
  assert.equal(status, 303);
  assert.deepEqual(body, { storageType: "s3", url: headers.get("location") });
  const download = await fetch(headers.get("location") ?? "");
  assert.equal(await download.text(), "content");
  assert.equal(download.headers.get("content-type"), "text/plain");
  const slashed = `/api/queue/v1/task/${claim.taskId}/artifacts/public/a%20b/u%25.txt`;
  assert.equal(
    (await cluster.request("GET", slashed, { as: null })).status,
    303,
    "slashes may stay as they are",
  );
});

Deno.test("a private artifact needs a scope, and its URL works for half an hour only", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  const name = "private/a";
  await put(await putUrl(cluster, artifact(name, s3)), "secret");
  const call = { params: { ...claim.run, name } };
  assert.equal(await cluster.refusal("queue.getArtifact", { ...call, as: null }), "403 InsufficientScopes");
  const { url } = await cluster.ok<{ url: string }>("queue.getArtifact", call);
  assert.equal(await (await fetch(url)).text(), "secret");
  const unsigned = await fetch(url.replace(/\?.*/, ""));
  assert.equal(unsigned.status, 403);
  assert.match(await unsigned.text(), /AccessDenied/);
  await cluster.clock.advance(31 * minuteMs);
  const late = await fetch(url);
  assert.equal(late.status, 403);
  assert.match(await late.text(), /Request has expired/);
});

Deno.test("createArtifact repeated with the same properties gives a fresh URL, with others it is refused", async () => {
  const { cluster, artifact } = await claimed();
  await using _ = cluster;
  await cluster.ok("queue.createArtifact", artifact("public/a", s3));
  await cluster.ok("queue.createArtifact", artifact("public/a", s3));
  const later = { expires: cluster.clock.timestamp(dayMs + minuteMs) };
  await cluster.ok("queue.createArtifact", artifact("public/a", { ...s3, ...later }));
  for (
    const other of [
      { ...s3, contentType: "text/html", ...later },
      s3,
      { storageType: "reference", contentType: "text/plain", url: "https://example.com/", ...later },
      { storageType: "link", artifact: "public/b", ...later },
    ]
  ) {
    const refusal = await cluster.refusal("queue.createArtifact", artifact("public/a", other));
    assert.equal(refusal, "409 RequestConflict", JSON.stringify(other));
  }
});

Deno.test("a reference may point elsewhere later, or become a link; a link stays a link", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  const reference = { storageType: "reference", contentType: "text/html" };
  const name = "public/live";
  await cluster.ok("queue.createArtifact", artifact(name, { ...reference, url: "https://one.example/" }));
  await cluster.ok("queue.createArtifact", artifact(name, { ...reference, url: "https://two.example/" }));
  const call = { params: { ...claim.run, name }, as: null };
  assert.equal(
    (await cluster.call("queue.getArtifact", call)).headers.get("location"),
    "https://two.example/",
  );
  await put(await putUrl(cluster, artifact("public/backing", s3)), "log");
  await cluster.ok(
    "queue.createArtifact",
    artifact(name, { storageType: "link", artifact: "public/backing" }),
  );
  await cluster.ok(
    "queue.createArtifact",
    artifact(name, { storageType: "link", artifact: "public/backing" }),
  );
  const location = (await cluster.call("queue.getArtifact", call)).headers.get("location") ?? "";
  assert.equal(await (await fetch(location)).text(), "log");
  const back = artifact(name, { ...reference, url: "https://one.example/" });
  assert.equal(await cluster.refusal("queue.createArtifact", back), "409 RequestConflict");
});

Deno.test("a link gives nobody more than its target would", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  await put(await putUrl(cluster, artifact("private/target", s3)), "secret");
  await cluster.ok(
    "queue.createArtifact",
    artifact("public/link", { storageType: "link", artifact: "private/target" }),
  );
  const call = { params: { ...claim.run, name: "public/link" } };
  assert.equal(await cluster.refusal("queue.getArtifact", { ...call, as: null }), "403 InsufficientScopes");
  assert.equal((await cluster.call("queue.getArtifact", call)).status, 303);
});

Deno.test("links that lead in a circle, or nowhere, are refused", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  const link = (target: string) => ({ storageType: "link", artifact: target });
  await cluster.ok("queue.createArtifact", artifact("public/a", link("public/b")));
  const call = { params: { ...claim.run, name: "public/a" }, as: null };
  assert.equal(await cluster.refusal("queue.getArtifact", call), "404 ResourceNotFound");
  await cluster.ok("queue.createArtifact", artifact("public/b", link("public/a")));
  assert.equal(await cluster.refusal("queue.getArtifact", call), "400 InputError");
});

Deno.test("an error artifact is answered with 424 and its reason", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  const error = { reason: "file-missing-on-worker", message: "No such file" };
  await cluster.ok("queue.createArtifact", artifact("public/e", { storageType: "error", ...error }));
  const call = { params: { ...claim.run, name: "public/e" }, as: null };
  const { status, body } = await cluster.call("queue.getArtifact", call);
  assert.equal(status, 424);
  assert.deepEqual(body, error);
  assert.deepEqual(await cluster.ok("queue.artifact", call), { storageType: "error", ...error });
  const { artifacts } = await cluster.ok<{ artifacts: unknown[] }>("queue.listArtifacts", {
    params: claim.run,
    as: null,
  });
  assert.deepEqual(artifacts, [{
    storageType: "error",
    name: "public/e",
    contentType: "application/binary",
    expires: cluster.clock.timestamp(dayMs),
  }]);
});

Deno.test("createArtifact refuses names outside printable ASCII and expiries after the task's", async () => {
  const { cluster, artifact } = await claimed();
  await using _ = cluster;
  for (const name of ["public/ä", "public/a\nb", "public/\u007f"]) {
    assert.equal(await cluster.refusal("queue.createArtifact", artifact(name, s3)), "400 InputError", name);
  }
  const late = { ...s3, expires: cluster.clock.timestamp(2 * dayMs + 1) };
  assert.equal(await cluster.refusal("queue.createArtifact", artifact("public/a", late)), "400 InputError");
  await cluster.ok("queue.createArtifact", artifact("public/ ~", s3));
});

Deno.test("runs that ended take no artifacts, but exceptions do for 25 more minutes", async () => {
  await using cluster = await Cluster.start({ settings: { claimTimeoutMs: 120 * minuteMs } });
  const completed = await cluster.create({ deadline: cluster.clock.timestamp(dayMs) });
  const cancelled = await cluster.create({ deadline: cluster.clock.timestamp(dayMs) });
  const [one, two] = await cluster.claim(2);
  assert.ok(one && two);
  const create = (claim: Claim, name: string) => ({
    params: { ...claim.run, name },
    as: claim.as,
    body: { ...s3, expires: cluster.clock.timestamp(minuteMs) },
  });
  await cluster.ok("queue.reportCompleted", { params: one.run, as: one.as });
  await cluster.ok("queue.cancelTask", { params: { taskId: cancelled } });
  assert.equal(one.taskId, completed);
  assert.equal(await cluster.refusal("queue.createArtifact", create(one, "public/a")), "409 RequestConflict");
  await cluster.clock.advance(25 * minuteMs);
  await cluster.ok("queue.createArtifact", create(two, "public/a"));
  await cluster.clock.advance(1);
  assert.equal(await cluster.refusal("queue.createArtifact", create(two, "public/b")), "409 RequestConflict");
});

Deno.test("an object artifact goes through the object service and appears when it is finished", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  const name = "public/o";
  const answer = await cluster.ok<CreateArtifactResponse>(
    "queue.createArtifact",
    artifact(name, { storageType: "object", contentType: "text/plain" }),
  );
  assert.ok(answer.storageType === "object");
  assert.equal(answer.name, `t/${claim.taskId}/0/public/o`);
  assert.equal(answer.projectId, "proj");
  const { projectId, uploadId, expires } = answer;
  const get = { params: { ...claim.run, name }, as: null };
  assert.equal(
    await cluster.refusal("queue.getArtifact", get),
    "404 ResourceNotFound",
    "not there before it is finished",
  );
  await cluster.ok("object.createUpload", {
    params: { name: answer.name },
    as: credentialsFromWire(answer.credentials),
    body: {
      projectId,
      uploadId,
      expires,
      proposedUploadMethods: { dataInline: { contentType: "text/plain", objectData: btoa("bytes") } },
    },
  });
  await cluster.ok("queue.finishArtifact", {
    params: { ...claim.run, name },
    as: claim.as,
    body: { uploadId },
  });
  const { headers } = await cluster.call("queue.getArtifact", get);
  const download = await fetch(headers.get("location") ?? "");
  assert.equal(await download.text(), "bytes");
  const content = await cluster.ok<{ name: string; credentials: { clientId: string; accessToken: string } }>(
    "queue.artifact",
    get,
  );
  const readable = credentialsFromWire(content.credentials);
  await cluster.ok("object.object", { params: { name: content.name }, as: readable });
  assert.equal(new TextDecoder().decode(await cluster.tc.queue.read(claim.taskId, name)), "bytes");
});

Deno.test("a second createArtifact of an object meets a 500, as on the real queue", async () => {
  const { cluster, artifact } = await claimed();
  await using _ = cluster;
  const call = artifact("public/o", { storageType: "object", contentType: "text/plain" });
  await cluster.ok("queue.createArtifact", call);
  assert.equal(await cluster.refusal("queue.createArtifact", call), "500 InternalServerError");
});

Deno.test("finishArtifact refuses other storage types and other uploads", async () => {
  const { cluster, artifact } = await claimed();
  await using _ = cluster;
  const uploadId = "AAAAAAAAQAGAAAAAAAAAAA";
  await cluster.ok("queue.createArtifact", artifact("public/s", s3));
  await cluster.ok(
    "queue.createArtifact",
    artifact("public/o", { storageType: "object", contentType: "text/plain" }),
  );
  const finish = (name: string) => ({ ...artifact(name, {}), body: { uploadId } });
  assert.equal(await cluster.refusal("queue.finishArtifact", finish("public/s")), "400 InputError");
  assert.equal(await cluster.refusal("queue.finishArtifact", finish("public/o")), "409 RequestConflict");
  assert.equal(await cluster.refusal("queue.finishArtifact", finish("public/x")), "404 ResourceNotFound");
});

Deno.test("W-60: an object artifact announced with contentLength can never be finished", async () => {
  const { cluster, artifact } = await claimed();
  await using _ = cluster;
  const object = { storageType: "object", contentType: "text/plain", contentLength: 5 };
  const answer = await cluster.ok<CreateArtifactResponse>(
    "queue.createArtifact",
    artifact("public/o", object),
  );
  assert.ok(answer.storageType === "object");
  const finish = { ...artifact("public/o", {}), body: { uploadId: answer.uploadId } };
  assert.equal(await cluster.refusal("queue.finishArtifact", finish), "500 InternalServerError");
});

Deno.test("listArtifacts gives pages, and leaves out what has expired", async () => {
  const { cluster, claim, artifact } = await claimed();
  await using _ = cluster;
  for (const name of ["c", "a", "b"]) await cluster.ok("queue.createArtifact", artifact(name, s3));
  await cluster.ok(
    "queue.createArtifact",
    artifact("0", { ...s3, expires: cluster.clock.timestamp(minuteMs) }),
  );
  await cluster.clock.advance(minuteMs);
  interface Page {
    readonly artifacts: readonly { readonly name: string }[];
    readonly continuationToken?: string;
  }
  const names = ({ artifacts }: Page) => artifacts.map(({ name }) => name);
  const first = await cluster.ok<Page>("queue.listLatestArtifacts", {
    params: { taskId: claim.taskId },
    query: { limit: "2" },
  });
  const { continuationToken = "" } = first;
  const rest = await cluster.ok<Page>("queue.listLatestArtifacts", {
    params: { taskId: claim.taskId },
    query: { continuationToken },
  });
  assert.deepEqual([names(first), names(rest), rest.continuationToken], [["a", "b"], ["c"], undefined]);
});
