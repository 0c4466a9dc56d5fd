/** Runs inside a task: what the stock npm client does through the proxy. Fails when something is not as it should be. */

import assert from "node:assert/strict";
import { taskcluster } from "./npm_client.ts";

const { TASKCLUSTER_PROXY_URL: rootUrl = "", TASK_ID: taskId = "", RUN_ID = "" } = Deno.env.toObject();
const runId = Number(RUN_ID);
const queue = new taskcluster.Queue({ rootUrl });
const index = new taskcluster.Index({ rootUrl });

const { status } = await queue["status"]!(taskId);
assert.equal(Reflect.get(Object(status), "state"), "running");
const expires = taskcluster.fromNowJSON("1 hour");
await queue["createArtifact"]!(taskId, runId, "public/a b%2F/npm", {
  storageType: "reference",
  url: "https://example.com/npm",
  contentType: "text/plain",
  expires,
});
await index["insertTask"]!("proxy.test.npm", { taskId, rank: 1, data: { client: "npm" }, expires });
assert.equal((await index["findTask"]!("proxy.test.npm"))["taskId"], taskId);
await assert.rejects(queue["cancelTask"]!(taskId), { statusCode: 403, code: "InsufficientScopes" });
await assert.rejects(index["findTask"]!("proxy.test.absent"), { statusCode: 404 });
await Promise.all(Array.from({ length: 100 }, () => queue["task"]!(taskId)));
taskcluster.agents.http.destroy();
