/** The stock clients inside a task, with the proxy as their root URL (spec 04 §8.2). */

import assert from "node:assert/strict";
import { freePorts } from "../support/free_ports.ts";
import { shell, withWorker } from "../support/worker.ts";
import { pythonClient } from "./python_client.ts";

const python = await pythonClient();

/** Runs a command in a task with a proxy; the client must have left what it says it did. */
async function succeeds(client: string, command: readonly string[]): Promise<void> {
  const config = { taskclusterProxyPort: freePorts(1) };
  await withWorker({ config }, async (deployment) => {
    const features = { taskclusterProxy: true };
    const payload = { ...shell("", { features, maxRunTime: 120 }), command: [command] };
    const { taskId, resolution } = await deployment.run(payload, {
      scopes: ["index:insert-task:proxy.test.*"],
    });
    const log = await deployment.log(taskId);
    assert.equal(resolution, "completed/completed", log);
    const { details } = deployment.taskcluster.queue.artifact(taskId, `public/a b%2F/${client}`);
    assert.deepEqual(details, { storageType: "reference", url: `https://example.com/${client}` });
  });
}

function pathOf(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

Deno.test("the npm client works in a task with the proxy as its root URL", () =>
  succeeds("npm", [
    Deno.execPath(),
    "run",
    "-A",
    "--config",
    pathOf("../../deno.json"),
    pathOf("proxy_npm_client.ts"),
  ]));

Deno.test({
  name: "the Python client works in a task with the proxy as its root URL",
  ignore: "missing" in python,
  fn: () => succeeds("python", "python" in python ? [python.python, "-B", pathOf("python/proxy.py")] : []),
});
