import { strict as assert } from "node:assert";
import { client as hawk } from "hawk";
import { execute, localTaskcluster } from "../../src/cli/local_taskcluster.ts";
import { UsageMistake } from "../../src/cli/usage_mistake.ts";
import { startLocalTaskcluster } from "../support/local_taskcluster_process.ts";

/** Starts it on a free port; `printed` resolves with the lines for the shell. */
function start(options: { port: number }) {
  const stop = new AbortController();
  const { promise: printed, resolve } = Promise.withResolvers<string>();
  const errors: string[] = [];
  const ended = localTaskcluster(options, {
    signal: stop.signal,
    print: resolve,
    printError: (text) => void errors.push(text),
  });
  return { stop, printed, ended, errors };
}

Deno.test("local-taskcluster prints root URL and credentials that a shell can evaluate, and ends with 0", async () => {
  const { stop, printed, ended } = start({ port: 0 });
  const script =
    `${await printed}echo "$TASKCLUSTER_ROOT_URL $TASKCLUSTER_CLIENT_ID $TASKCLUSTER_ACCESS_TOKEN"`;
  const shell = await new Deno.Command("sh", { args: ["-c", script], env: {} }).output();
  const [rootUrl, clientId, accessToken] = new TextDecoder().decode(shell.stdout).trim().split(" ");
  assert.match(rootUrl ?? "", /^http:\/\/(localhost|127\.0\.0\.1):\d+$/);
  assert.ok(clientId);
  assert.match(accessToken ?? "", /^[A-Za-z0-9_-]{44}$/);
  const ping = await fetch(`${rootUrl}/api/queue/v1/ping`);
  assert.equal(((await ping.json()) as { alive: boolean }).alive, true);
  stop.abort();
  assert.equal(await ended, 0);
  await assert.rejects(fetch(`${rootUrl}/api/queue/v1/ping`), "nothing serves after the end");
});

Deno.test("local-taskcluster names a port that is taken, prints nothing for the shell and ends with 69", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { printed, ended, errors } = start({ port });
  assert.equal(await Promise.race([ended, printed]), 69);
  assert.match(errors.join(""), new RegExp(`port ${port}: the port is in use; .*--port`));
});

Deno.test("local-taskcluster serves on the port it is given, again after it stopped", async () => {
  const first = start({ port: 0 });
  const port = Number(/:(\d+)\n/.exec(await first.printed)?.[1]);
  first.stop.abort();
  await first.ended;
  const second = start({ port });
  assert.match(await second.printed, new RegExp(`:${port}\n`));
  second.stop.abort();
  assert.equal(await second.ended, 0);
});

Deno.test("local-taskcluster started after its signal aborted still ends in good order", async () => {
  const ended = localTaskcluster({ port: 0 }, {
    signal: AbortSignal.abort(),
    print: () => {},
    printError: () => {},
  });
  assert.equal(await ended, 0);
});

Deno.test("local-taskcluster takes no port that is none", async () => {
  for (const port of ["", "http", "-1", "65536", "80.5", "1e3"]) {
    await assert.rejects(execute({ values: { port }, flags: new Set(), operand: "" }), UsageMistake, port);
  }
});

Deno.test("local-taskcluster lets go of a client that waits for work when it stops", async () => {
  const { deployment, stop } = await startLocalTaskcluster();
  const url = `${deployment.TASKCLUSTER_ROOT_URL}/api/queue/v1/claim-work/prov%2Fpool`;
  const credentials = {
    id: deployment.TASKCLUSTER_CLIENT_ID,
    key: deployment.TASKCLUSTER_ACCESS_TOKEN,
    algorithm: "sha256",
  };
  const waiting = fetch(url, {
    method: "POST",
    headers: {
      "Authorization": hawk.header(url, "POST", { credentials }).header,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ workerGroup: "lab", workerId: "box-1", tasks: 1 }),
  });
  // The rejection may come before anybody waits for it.
  waiting.catch(() => {});
  await (await fetch(`${deployment.TASKCLUSTER_ROOT_URL}/api/queue/v1/ping`)).body?.cancel();
  assert.equal(await stop("SIGTERM"), 0);
  await assert.rejects(waiting, "a claim that was waited out would have been answered");
});

Deno.test("local-taskcluster serves as a process until SIGTERM or SIGINT and then ends with 0", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const taskcluster = await startLocalTaskcluster();
    const ping = await fetch(`${taskcluster.deployment.TASKCLUSTER_ROOT_URL}/api/queue/v1/ping`);
    assert.equal(((await ping.json()) as { alive: boolean }).alive, true);
    assert.equal(await taskcluster.stop(signal), 0, signal);
  }
});
