/** A task's calls of services without credentials, through a whole worker (spec 04 §8). */

import assert from "node:assert/strict";
import { join } from "node:path";
import { localhostCertificate, localhostKey } from "../artifacts/localhost_certificate.ts";
import { freePorts } from "../support/free_ports.ts";
import { tlsDoor } from "../support/tls_door.ts";
import {
  type Deployment,
  type RunningWorker,
  shell,
  withDeployment,
  withWorker,
  type WorkerSetup,
} from "../support/worker.ts";

function withProxyWorker(
  setup: WorkerSetup,
  use: (deployment: Deployment, worker: RunningWorker, port: number) => Promise<void>,
): Promise<void> {
  const taskclusterProxyPort = freePorts(5);
  const config = { taskclusterProxyPort, ...setup.config };
  return withWorker(
    { ...setup, config },
    (deployment, worker) => use(deployment, worker, taskclusterProxyPort),
  );
}

function proxied(script: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return shell(script, { ...more, features: { taskclusterProxy: true } });
}

const curl = "curl --silent --show-error --max-time 30";

Deno.test("a task calls services through its proxy, as itself, and creates an artifact of its own", async () => {
  await withProxyWorker({}, async (deployment, worker, port) => {
    const body = JSON.stringify({
      storageType: "reference",
      url: "https://example.com/x",
      contentType: "text/plain",
      expires: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const resolved = await deployment.run(proxied(
      [
        "set -e",
        'echo "URL=$TASKCLUSTER_PROXY_URL"',
        `${curl} --fail -D - "$TASKCLUSTER_PROXY_URL/api/queue/v1/task/$TASK_ID/status"`,
        `${curl} --fail -X POST -H 'Content-Type: application/json' -d '${body}' ` +
        '"$TASKCLUSTER_PROXY_URL/queue/v1/task/$TASK_ID/runs/$RUN_ID/artifacts/public%2Fmine"',
        `${curl} -o refused -w 'CREDENTIALS=%{http_code}\\n' -X PUT -d '{"clientId":"x"}' ` +
        '"$TASKCLUSTER_PROXY_URL/credentials"',
        `${curl} -o reason -w 'FOREIGN=%{http_code}\\n' -X POST "$TASKCLUSTER_PROXY_URL/queue/v1/task/$TASK_ID/cancel"`,
      ].join("\n"),
    ));
    const log = await deployment.log(resolved.taskId);
    assert.equal(resolved.resolution, "completed/completed", log);
    assert.ok(log.includes(`URL=http://127.0.0.1:${port}\n`), log);
    assert.match(log, /X-Taskcluster-Proxy-Temp-ClientId: \S+\r\n/i);
    assert.match(
      log,
      new RegExp(`X-Taskcluster-Authorized-Scopes: \\["queue:create-artifact:${resolved.taskId}/0"\\]`, "i"),
    );
    assert.match(log, /CREDENTIALS=403\n/);
    assert.match(log, /FOREIGN=403\n/);
    assert.equal(
      deployment.taskcluster.queue.artifact(resolved.taskId, "public/mine").contentType,
      "text/plain",
    );
    for (const text of [log, worker.log]) {
      assert.doesNotMatch(
        text,
        /accessToken|"signature"|mac="/,
        "TP-14: nothing of the credentials is logged",
      );
    }
  });
});

Deno.test("a task without the proxy has no port of it, and a task with it leaves none behind", async () => {
  await withProxyWorker({}, async (deployment, _worker, port) => {
    const { resolution } = await deployment.run(shell('test -z "$TASKCLUSTER_PROXY_URL"'));
    assert.equal(resolution, "completed/completed");
    for (let count = 0; count < 2; count++) {
      assert.equal((await deployment.run(proxied("true"))).resolution, "completed/completed");
      await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
    }
  });
});

Deno.test("PF-2: a proxy that can't have its port is an internal error, whoever listens there", async () => {
  await withProxyWorker({}, async (deployment, _worker, port) => {
    using _taken = Deno.listen({ hostname: "127.0.0.1", port });
    const resolved = await deployment.run(proxied("echo never"), { retries: 0 });
    assert.equal(resolved.resolution, "exception/internal-error");
    const log = await deployment.log(resolved.taskId);
    assert.match(
      log,
      new RegExp(`Cannot start the Taskcluster proxy: cannot listen on port ${port} of 127.0.0.1`),
    );
  });
});

Deno.test("docker-bridge is an internal error where no docker network can be made, and a disabled proxy a malformed payload", async () => {
  await withProxyWorker({}, async (deployment) => {
    const payload = proxied("true", { taskclusterProxyInterface: "docker-bridge" });
    const resolved = await deployment.run(payload, { retries: 0 });
    assert.equal(resolved.resolution, "exception/internal-error");
    assert.match(await deployment.log(resolved.taskId), /Set taskclusterProxyInterface to "localhost"/);
  });
  await withWorker({ config: { enableTaskclusterProxy: false } }, async (deployment) => {
    const resolved = await deployment.run(proxied("true"));
    assert.equal(resolved.resolution, "exception/malformed-payload");
  });
});

Deno.test("two tasks at once have a proxy each, with the rights of each", async () => {
  await withProxyWorker({ config: { capacity: 2 } }, async (deployment, _worker, port) => {
    const seen = await Promise.all([0, 1].map(async () => {
      const gate = join(deployment.directory, "gate");
      const script = [
        `touch '${gate}'-$TASK_ID; while [ $(ls '${gate}'-* | wc -l) -lt 2 ]; do sleep 0.05; done`,
        'echo "URL=$TASKCLUSTER_PROXY_URL"',
        `${curl} -D - -o pong "$TASKCLUSTER_PROXY_URL/queue/v1/ping"`,
      ].join("\n");
      const { taskId, resolution } = await deployment.run(proxied(script));
      const log = await deployment.log(taskId);
      assert.equal(resolution, "completed/completed", log);
      assert.ok(log.includes(`"queue:create-artifact:${taskId}/0"`), log);
      return /URL=http:\/\/127\.0\.0\.1:(\d+)/.exec(log)?.[1];
    }));
    assert.deepEqual(seen.sort(), [`${port}`, `${port + 4}`].sort());
  });
});

Deno.test("PF-1: a reclaim in the middle of many requests loses none, and the log says so", async () => {
  const settings = { claimTimeoutMs: 4_000 };
  await withProxyWorker({ settings }, async (deployment, worker) => {
    const taskId = deployment.createTask(proxied(
      [
        "failed=0; count=0",
        "while [ ! -e stop ]; do",
        `  ${curl} -o answer -w '%{http_code}\\n' "$TASKCLUSTER_PROXY_URL/queue/v1/task/$TASK_ID/status" | grep -q 200 || failed=$((failed + 1))`,
        "  count=$((count + 1))",
        "  [ $count -lt 2000 ] || exit 3",
        `  [ ! -e '${join(deployment.directory, "enough")}' ] || break`,
        "done",
        'echo "COUNT=$count FAILED=$failed"',
      ].join("\n"),
    ));
    await deployment.taskcluster.requests.next(({ path }) => path.endsWith("/reclaim"));
    await deployment.taskcluster.requests.next(({ path }) => path.endsWith("/reclaim"));
    await deployment.taskcluster.requests.next(({ path }) => path.endsWith("/status"));
    Deno.writeTextFileSync(join(deployment.directory, "enough"), "");
    const { resolution } = await deployment.resolved(taskId);
    const log = await deployment.log(taskId);
    assert.equal(resolution, "completed/completed", log);
    assert.match(log, /\[taskcluster-proxy\] Successfully refreshed taskcluster-proxy credentials: \S+\n/);
    assert.match(log, /COUNT=\d+ FAILED=0\n/);
    assert.doesNotMatch(worker.log, /accessToken/);
  });
});

Deno.test("a task reaches a deployment behind TLS through its proxy, again and again", async () => {
  const authority = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(authority, localhostCertificate);
    await withDeployment({ environment: { SSL_CERT_FILE: authority } }, async (deployment) => {
      const port = Number(new URL(deployment.taskcluster.rootUrl).port);
      const door = tlsDoor({ cert: localhostCertificate, key: localhostKey, port });
      const worker = await deployment.startWorker({
        rootURL: `https://127.0.0.1:${door.port}`,
        taskclusterProxyPort: freePorts(1),
      });
      const url = '"$TASKCLUSTER_PROXY_URL/queue/v1/task/$TASK_ID/status"';
      const { taskId, resolution } = await deployment.run(proxied(`${curl} --fail ${url} ${url} ${url}`));
      assert.equal(resolution, "completed/completed", await deployment.log(taskId));
      await worker.end();
      await door.close();
    });
  } finally {
    await Deno.remove(authority);
  }
});

Deno.test("PF-6: a scope that looks like an option is a scope like the others", async () => {
  await withProxyWorker({}, async (deployment) => {
    const scopes = ["--port", ...Array.from({ length: 15 }, (_, number) => `some:scope:number-${number}`)];
    const script = `${curl} --fail -D - -o pong "$TASKCLUSTER_PROXY_URL/queue/v1/task/$TASK_ID/status"`;
    const { taskId, resolution } = await deployment.run(proxied(script), { scopes });
    const log = await deployment.log(taskId);
    assert.equal(resolution, "completed/completed", log);
    const said = /x-taskcluster-authorized-scopes: (.*)\r\n/i.exec(log)?.[1] ?? "";
    assert.deepEqual(JSON.parse(said), [...scopes, `queue:create-artifact:${taskId}/0`]);
  });
});
