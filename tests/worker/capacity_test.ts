/** Several tasks at once, each with a directory and ports of its own, and never more than allowed. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { TaskSignal } from "../support/task_signal.ts";
import { shell, withDeployment, withWorker } from "../support/worker.ts";

/** Waits until so many lines have come. */
async function lines(signal: TaskSignal, count: number): Promise<string[]> {
  const received: string[] = [];
  while (received.length < count) received.push(...(await signal.received()).split("\n"));
  return received;
}

Deno.test("two tasks run together at capacity 2, in directories and on ports of their own", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({ config: { capacity: 2 } }, async (deployment, worker) => {
    const statusFile = `${deployment.directory}/tmp/worker-status.json`;
    // Neither ends before both have begun; the worker writes its status beside their start.
    const script = `until grep -qs $TASK_ID ${statusFile}; do sleep 0.05; done
      pwd > ${begun.path}; read line < $TASK_WORKDIR/go`;
    const tasks = [1, 2].map(() => deployment.createTask(shell(`mkfifo go; ${script}`)));
    const directories = await lines(begun, 2);
    assert.notEqual(directories[0], directories[1]);
    assert.deepEqual(tasks.map((taskId) => deployment.taskcluster.queue.status(taskId).state), [
      "running",
      "running",
    ]);
    const status = await Deno.readTextFile(statusFile);
    assert.deepEqual(JSON.parse(status).currentTaskIds.toSorted(), tasks.toSorted());
    await worker.says("allocated ports", 2);
    const ports = [...worker.log.matchAll(/allocated ports: (.*)/g)].map((match) => match[1]);
    assert.deepEqual(ports, [
      "LiveLog(PUT/GET)=60098/60099, Interactive=53654, TaskclusterProxy=80",
      "LiveLog(PUT/GET)=60102/60103, Interactive=53658, TaskclusterProxy=84",
    ]);
    for (const directory of directories) await Deno.writeTextFile(`${directory}/go`, "go\n");
    for (const taskId of tasks) {
      assert.equal((await deployment.resolved(taskId)).resolution, "completed/completed");
    }
  });
});

Deno.test("a worker with more than 32 slots fills them all, 32 in a call at most (K5)", async () => {
  await using begun = await TaskSignal.make();
  await withDeployment({}, async (deployment) => {
    const script = `mkfifo go; pwd > ${begun.path}; read line < go`;
    const tasks = Array.from({ length: 40 }, () => deployment.createTask(shell(script)));
    const worker = await deployment.startWorker({ capacity: 40, taskclusterProxyPort: 1_000 });
    const directories = await lines(begun, 40);
    assert.equal(new Set(directories).size, 40);
    await Promise.all(directories.map((directory) => Deno.writeTextFile(`${directory}/go`, "go\n")));
    for (const taskId of tasks) {
      assert.equal((await deployment.resolved(taskId)).resolution, "completed/completed");
    }
    assert.ok(!worker.log.includes("Could not claim work"), worker.log);
  });
});

Deno.test("numberOfTasksToRun is never exceeded, however many slots and tasks there are", async () => {
  await withDeployment({}, async (deployment) => {
    const tasks = Array.from({ length: 8 }, () => deployment.createTask(shell("true")));
    const worker = await deployment.spawnWorker({ capacity: 4, numberOfTasksToRun: 5 });
    assert.equal(await worker.exited, 0);
    const states = tasks.map((taskId) => deployment.taskcluster.queue.status(taskId).state);
    assert.deepEqual(states.toSorted(), [
      ...Array(5).fill("completed"),
      ...Array(3).fill("pending"),
    ]);
    assert.equal(await Deno.readTextFile(`${deployment.directory}/tasks-resolved-count.txt`), "5");
    assert.match(worker.log, /Resolved 1 tasks in total so far \(will exit after resolving 4 more\)\./);
  });
});

Deno.test("a slot that is freed takes the next task while the others go on (K3)", async () => {
  await using begun = await TaskSignal.make();
  await withWorker({ config: { capacity: 2 } }, async (deployment) => {
    const long = deployment.createTask(shell(`mkfifo go; pwd > ${begun.path}; read line < go`));
    const directory = await begun.received();
    for (let number = 0; number < 5; number++) {
      assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
    }
    assert.equal(deployment.taskcluster.queue.status(long).state, "running");
    await Deno.writeTextFile(`${directory}/go`, "go\n");
    assert.equal((await deployment.resolved(long)).resolution, "completed/completed");
  });
});

Deno.test({
  name: "a config file of another deployment ends the worker with 70 after its running tasks",
  // With sudo at hand the exit code would halt the machine, as it must.
  ignore: existsSync("/usr/bin/sudo"),
  async fn() {
    await using begun = await TaskSignal.make();
    const config = { deploymentId: "one", checkForNewDeploymentEverySecs: 0, capacity: 2 };
    await withWorker({ config, settings: { longPollMs: 200 } }, async (deployment, worker) => {
      const running = deployment.createTask(shell(`mkfifo go; pwd > ${begun.path}; read line < go`));
      const directory = await begun.received();
      await deployment.writeConfig({ deploymentId: "two" });
      await worker.says("New deploymentId found: one => two");
      const left = deployment.createTask(shell("true"));
      await Deno.writeTextFile(`${directory}/go`, "go\n");
      assert.equal(await worker.exited, 70);
      assert.equal((await deployment.resolved(running)).resolution, "completed/completed");
      assert.equal(deployment.taskcluster.queue.status(left).state, "pending");
    });
  },
});
