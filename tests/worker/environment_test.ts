/** What the commands of a task find in their environment on the insecure engine (spec 02 §4.5). */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { withWorker } from "../support/worker.ts";

/** Name and value of all variables, as the process sees them: `env -0` in hexadecimal, since logs are text. */
const printEnvironment = [
  "/bin/sh",
  "-c",
  "echo BEGIN; pwd; env -0 | od -An -v -tx1 | tr -d ' \\n'; echo; echo END",
];

/** The working directory and the environment of a task's command. */
function parse(log: string): { workDirectory: string; env: Map<string, string> } {
  const [, workDirectory = "", hex = ""] = /^BEGIN\n(.*)\n([0-9a-f]*)\nEND$/m.exec(log) ?? [];
  const text = new TextDecoder().decode(Buffer.from(hex, "hex"));
  const env = new Map(
    text.split("\0").slice(0, -1).map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
  return { workDirectory, env };
}

/** Things a worker's surroundings may hold that speak for the worker. */
const withheld = {
  TASKCLUSTER_ACCESS_TOKEN: "a",
  TASKCLUSTER_CLIENT_ID: "b",
  TASKCLUSTER_CERTIFICATE: "c",
  TASKCLUSTER_PROXY_URL: "d",
};

Deno.test("a command sees the worker's environment without its credentials, then env, then the fixed variables", async () => {
  const environment = { ...withheld, FROM_WORKER: "worker", SHADOWED: "worker", RUN_ID: "worker" };
  const config = { workerLocation: '{"cloud":"x"}', instanceType: "big" };
  await withWorker({ environment, config }, async (deployment) => {
    const { taskId } = await deployment.run({
      command: [printEnvironment],
      env: {
        SHADOWED: "payload",
        EMPTY: "",
        ODD: `"quotes" 'single' %p% ^ ! $HOME \`x\` {"a": [1]} grüße 💥`,
        LINES: "one\ntwo\n",
        TASK_ID: "payload",
        TASK_WORKDIR: "payload",
        TASKCLUSTER_ROOT_URL: "payload",
        TASKCLUSTER_INSTANCE_TYPE: "payload",
        TASKCLUSTER_WORKER_LOCATION: "payload",
      },
      maxRunTime: 60,
    });
    const { workDirectory, env } = parse(await deployment.log(taskId));
    const definition = deployment.taskcluster.queue.definition(taskId);
    const expected = {
      FROM_WORKER: "worker",
      SHADOWED: "payload",
      EMPTY: "",
      ODD: `"quotes" 'single' %p% ^ ! $HOME \`x\` {"a": [1]} grüße 💥`,
      LINES: "one\ntwo\n",
      TASK_ID: taskId,
      RUN_ID: "0",
      TASK_WORKDIR: workDirectory,
      TASK_GROUP_ID: definition.taskGroupId,
      TASKCLUSTER_ROOT_URL: deployment.taskcluster.rootUrl,
      TASKCLUSTER_WORKER_LOCATION: '{"cloud":"x"}',
      TASKCLUSTER_INSTANCE_TYPE: "big",
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(env.get(name), value, name);
    for (const name of Object.keys(withheld)) assert.ok(!env.has(name), name);
    assert.ok(workDirectory.startsWith("/"), "TASK_WORKDIR is absolute (K24)");
  });
});

Deno.test("location and instance type of the payload survive where the config has none", async () => {
  const env = { TASKCLUSTER_INSTANCE_TYPE: "payload", TASKCLUSTER_WORKER_LOCATION: "payload" };
  await withWorker({}, async (deployment) => {
    const { taskId } = await deployment.run({ command: [printEnvironment], env, maxRunTime: 60 });
    const seen = parse(await deployment.log(taskId)).env;
    for (const [name, value] of Object.entries(env)) assert.equal(seen.get(name), value);
    const bare = await deployment.run({ command: [printEnvironment], maxRunTime: 60 });
    const without = parse(await deployment.log(bare.taskId)).env;
    for (const name of Object.keys(env)) assert.ok(!without.has(name), name);
  });
});

Deno.test("programs are looked up in the task's own PATH (weakness 02 §12.12)", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run({
      command: [["/bin/sh", "-c", "printf '#!/bin/sh\\necho found it\\n' > tool; chmod +x tool"], ["tool"]],
      env: { PATH: "/usr/bin:/bin:." },
      maxRunTime: 60,
    });
    const log = await deployment.log(taskId);
    assert.equal(resolution, "completed/completed", log);
    assert.match(log, /^found it$/m);
  });
});

Deno.test("nothing but the directory carries over from one command to the next", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId } = await deployment.run({
      command: [["/bin/sh", "-c", "export LEAK=1; echo kept > file; cd /"], [
        "/bin/sh",
        "-c",
        'cat file; echo "leak:$LEAK"; readlink /proc/self/fd/0',
      ]],
      maxRunTime: 60,
    });
    assert.match(await deployment.log(taskId), /^kept\nleak:\n\/dev\/null$/m);
  });
});
