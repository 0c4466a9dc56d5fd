/** The log of a running task, as its readers see it through the queue (spec 04 §3, weaknesses LF and K43). */

import assert from "node:assert/strict";
import { join } from "node:path";
import { FaultSchedule } from "../../src/embedded/mod.ts";
import { RawReader } from "../log/live_log_reading.ts";
import { freePorts } from "../support/free_ports.ts";
import {
  type Deployment,
  type RunningWorker,
  shell,
  withWorker,
  type WorkerSetup,
} from "../support/worker.ts";

const live = "public/logs/live.log";
const backing = "public/logs/live_backing.log";

/** A task that prints, waits for the test, and prints again. */
interface Waiting {
  readonly taskId: string;
  /** Lets it go on. */
  goOn(): void;
}

function startWaiting(deployment: Deployment, more: Readonly<Record<string, unknown>> = {}): Waiting {
  const gate = join(deployment.directory, `gate-${crypto.randomUUID()}`);
  const script = `echo first words; while [ ! -e '${gate}' ]; do sleep 0.05; done; echo last words`;
  const taskId = deployment.createTask(shell(script, more));
  return { taskId, goOn: () => Deno.writeTextFileSync(gate, "") };
}

function withLiveLog(
  setup: WorkerSetup,
  use: (deployment: Deployment, worker: RunningWorker, port: number) => Promise<void>,
): Promise<void> {
  const livelogPortBase = freePorts(8);
  const config = { publicIP: "127.0.0.1", livelogPortBase, ...setup.config };
  return withWorker({ ...setup, config }, (deployment, worker) => use(deployment, worker, livelogPortBase));
}

function artifactUrl(deployment: Deployment, taskId: string, name = live): string {
  return `${deployment.taskcluster.rootUrl}/api/queue/v1/task/${taskId}/artifacts/${name}`;
}

/** The artifact of the live log, as soon as there is one. */
async function reference(deployment: Deployment, taskId: string) {
  const { requests, queue } = deployment.taskcluster;
  const path = new RegExp(`${taskId}.*live\\.log$`);
  const isThere = () => queue.artifacts(taskId).some(({ name }) => name === live);
  while (!isThere()) await requests.next((record) => path.test(decodeURIComponent(record.path)));
  return queue.artifact(taskId, live);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Peak of what the process held in RAM, bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Follows an answer until it contains `text`; gives the reader of the rest and what was read. */
async function readUntil(response: Response, text: string) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes(text)) {
    const { value, done } = await reader.read();
    assert.ok(!done, `The log ended before ${text}: ${seen}`);
    seen += value;
  }
  return {
    async rest(): Promise<string> {
      while (true) {
        const { value, done } = await reader.read();
        if (done) return seen;
        seen += value;
      }
    },
  };
}

Deno.test("a reader follows a running task through the queue, sees its very last line, and then finds the backing log", async () => {
  await withLiveLog({}, async (deployment, worker) => {
    const task = startWaiting(deployment);
    const artifact = await reference(deployment, task.taskId);
    assert.equal(artifact.contentType, "text/plain; charset=utf-8");
    const response = await fetch(artifactUrl(deployment, task.taskId));
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    const following = await readUntil(response, "first words\n");
    task.goOn();
    const seen = await following.rest();
    assert.match(seen, /last words\n/);
    assert.equal((await deployment.resolved(task.taskId)).resolution, "completed/completed");
    assert.equal(seen, await deployment.log(task.taskId));
    const { details, contentType, expires } = deployment.taskcluster.queue.artifact(task.taskId, live);
    assert.deepEqual(details, { storageType: "link", artifact: backing });
    assert.equal(contentType, "text/plain; charset=utf-8");
    assert.equal(expires, deployment.taskcluster.queue.definition(task.taskId).expires);
    assert.equal(await (await fetch(artifactUrl(deployment, task.taskId))).text(), seen);
    assert.doesNotMatch(worker.log, /\/log\//, "LF-8: the address is a secret");
  });
});

Deno.test("K28: the reader of a failing task's live log sees the line that says why", async () => {
  await withLiveLog({}, async (deployment) => {
    const gone = { type: "file", path: "gone", name: "public/gone" };
    const task = startWaiting(deployment, { artifacts: [gone] });
    await reference(deployment, task.taskId);
    const following = await readUntil(await fetch(artifactUrl(deployment, task.taskId)), "first words\n");
    task.goOn();
    assert.match(await following.rest(), /\[taskcluster:error\] file-missing-on-worker/);
    assert.equal((await deployment.resolved(task.taskId)).resolution, "failed/failed");
  });
});

Deno.test("LF-1: 200 readers that do not read delay neither the task nor its resolution, and cost little memory", async () => {
  await withLiveLog({}, async (deployment, worker) => {
    const loud = "seq 1 8000000";
    const alone = await timed(() => deployment.run(shell(loud)));
    const before = await peakMemory(worker.pid);
    const gate = join(deployment.directory, "gate");
    const script = `echo first words; while [ ! -e '${gate}' ]; do sleep 0.05; done; ${loud}`;
    const taskId = deployment.createTask(shell(script));
    const { details } = await reference(deployment, taskId);
    assert.ok(details.storageType === "reference");
    const readers: RawReader[] = [];
    for (let count = 0; count < 200; count++) {
      readers.push(await RawReader.get(Number(new URL(details.url).port), new URL(details.url).pathname));
    }
    for (const reader of readers) await reader.until("first words\n");
    const watched = await timed(async () => {
      Deno.writeTextFileSync(gate, "");
      assert.equal((await deployment.resolved(taskId)).resolution, "completed/completed");
    });
    assert.ok(watched < 3 * alone + 3_000, `${watched} ms in place of ${alone} ms`);
    const growth = await peakMemory(worker.pid) - before;
    assert.ok(growth < 40_000_000, `${Math.round(growth / 1e6)} MB more`);
    for (const reader of readers) reader.close();
  });
});

Deno.test("LF-2: a worker that ends after its task still gives a reader the rest of the log", async () => {
  await withLiveLog({ config: { numberOfTasksToRun: 1 } }, async (deployment, worker) => {
    const script =
      "echo first words; while [ ! -e gate ]; do sleep 0.05; done; seq 1 2000000; echo last words";
    const gate = join(deployment.directory, "go");
    const taskId = deployment.createTask(shell(script.replace("gate", gate)));
    await reference(deployment, taskId);
    const response = await fetch(artifactUrl(deployment, taskId));
    Deno.writeTextFileSync(gate, "");
    // Nothing is read before the task is resolved: most of the log is still to be sent.
    assert.equal((await deployment.resolved(taskId)).resolution, "completed/completed");
    const seen = await response.text();
    assert.match(seen, /\nlast words\n/);
    assert.ok(seen.length > 14_000_000);
    assert.equal(await worker.exited, 0);
  });
});

Deno.test("LF-3: a task without a live log still has the link to its backing log", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const livelogPortBase = (listener.addr.port) - 1;
  try {
    await withLiveLog({ config: { livelogPortBase } }, async (deployment, worker) => {
      const { taskId, resolution } = await deployment.run(shell("echo hello"));
      assert.equal(resolution, "completed/completed");
      assert.deepEqual(deployment.taskcluster.queue.artifact(taskId, live).details, {
        storageType: "link",
        artifact: backing,
      });
      assert.match(worker.log, /WARNING: .*No live log: .*port \d+/, "K43: a port that is taken is told");
    });
  } finally {
    listener.close();
  }
});

Deno.test("LF-4: a task that expires soon has a live log, and a queue that refuses it harms nobody", async () => {
  const faults = new FaultSchedule([{
    entry: "createArtifact",
    path: /live\.log$/,
    calls: 1,
    effect: { kind: "status", status: 400 },
  }]);
  await withLiveLog({ faults }, async (deployment, worker) => {
    const refused = await deployment.run(shell("echo hello"));
    assert.equal(refused.resolution, "completed/completed");
    assert.match(worker.log, /WARNING: .*Could not publish the address of the live log/);
    const soon = new Date(Date.now() + 600_000).toISOString();
    const task = deployment.createTask(shell("sleep 600", { maxRunTime: 600 }), {
      deadline: soon,
      expires: soon,
    });
    assert.equal((await reference(deployment, task)).expires, soon);
    deployment.taskcluster.queue.cancelTask(task);
  });
});

Deno.test("LF-5: a queue that is slow with the live log's address does not delay the commands", async () => {
  const faults = new FaultSchedule([{
    entry: "createArtifact",
    path: /live\.log$/,
    calls: 1,
    effect: { kind: "delay", delayMs: 3_000 },
  }]);
  await withLiveLog({ faults }, async (deployment) => {
    const { taskId } = await deployment.run(shell("date +%s%3N"));
    const printedMs = Number(/^(\d{13})$/m.exec(await deployment.log(taskId))?.[1]);
    const { requests } = deployment.taskcluster;
    const announced = requests.records().find(({ path }) => decodeURIComponent(path).endsWith(live));
    const waitedMs = printedMs - (announced?.arrivedMs ?? NaN);
    assert.ok(waitedMs < 2_000, `printed ${waitedMs} ms after the queue was told of the live log`);
  });
});

Deno.test("a task without a backing log leaves its live log's address behind", async () => {
  await withLiveLog({}, async (deployment) => {
    const task = startWaiting(deployment, { features: { backingLog: false } });
    await reference(deployment, task.taskId);
    task.goOn();
    assert.equal((await deployment.resolved(task.taskId)).resolution, "completed/completed");
    const artifacts = deployment.taskcluster.queue.artifacts(task.taskId);
    assert.deepEqual(artifacts.map(({ name, storageType }) => [name, storageType]), [[live, "reference"]]);
  });
});

Deno.test("a link that the queue refuses counts as a problem of the task", async () => {
  const faults = new FaultSchedule([{
    entry: "createArtifact",
    path: /live\.log$/,
    fromCall: 2,
    effect: { kind: "status", status: 400 },
  }]);
  await withLiveLog({ faults }, async (deployment) => {
    const task = startWaiting(deployment);
    await reference(deployment, task.taskId);
    task.goOn();
    assert.equal((await deployment.resolved(task.taskId)).resolution, "exception/internal-error");
    assert.match(await deployment.log(task.taskId), /last words/);
  });
});

Deno.test("K6, W-27: a pool without live logs refuses only tasks that ask for one by name", async () => {
  await withLiveLog({ config: { enableLiveLog: false } }, async (deployment) => {
    const quiet = await deployment.run(shell("echo hello"));
    assert.equal(quiet.resolution, "completed/completed");
    assert.deepEqual(deployment.taskcluster.queue.artifacts(quiet.taskId).map(({ name }) => name), [backing]);
    const asking = await deployment.run(shell("echo hello", { features: { liveLog: true } }));
    assert.equal(asking.resolution, "exception/malformed-payload");
    assert.match(await deployment.log(asking.taskId), /"Live Log", which is not enabled on this worker pool/);
  });
});

Deno.test("EX-1: tasks that run at the same time have live logs of their own, whatever livelogExposePort says", async () => {
  const livelogExposePort = freePorts(1);
  await withLiveLog({ config: { capacity: 2, livelogExposePort } }, async (deployment) => {
    const tasks = [startWaiting(deployment), startWaiting(deployment)];
    const urls: URL[] = [];
    for (const { taskId } of tasks) {
      const { details } = await reference(deployment, taskId);
      assert.ok(details.storageType === "reference");
      urls.push(new URL(details.url));
      const seen = await readUntil(await fetch(details.url), "first words\n");
      tasks.find((task) => task.taskId === taskId)?.goOn();
      assert.match(await seen.rest(), new RegExp(`Task ID: ${taskId}[^]*last words`));
    }
    assert.notEqual(urls[0]?.port, urls[1]?.port);
    assert.ok(urls.some(({ port }) => Number(port) === livelogExposePort));
    for (const { taskId } of tasks) await deployment.resolved(taskId);
  });
});

Deno.test("settings for what this version does not have are told, and the task runs", async () => {
  const config = { wstServerURL: "wss://tunnel.example", wstAudience: "tests" };
  await withLiveLog({ config }, async (deployment, worker) => {
    const { taskId, resolution } = await deployment.run(shell("echo hello"));
    assert.equal(resolution, "completed/completed");
    assert.match(worker.log, /WARNING: .*No live log: .*websocktunnel/);
    assert.equal(deployment.taskcluster.queue.artifact(taskId, live).details.storageType, "link");
  });
  await withLiveLog(
    { config: { livelogExecutable: "/usr/local/bin/livelog" } },
    async (deployment, worker) => {
      const task = startWaiting(deployment);
      assert.equal((await reference(deployment, task.taskId)).details.storageType, "reference");
      task.goOn();
      await deployment.resolved(task.taskId);
      assert.match(worker.log, /WARNING: .*served by the worker itself, not by \/usr\/local\/bin\/livelog/);
    },
  );
});

Deno.test("a slot's live log port is free again for the next task, though readers of the last one are slow", async () => {
  await withLiveLog({}, async (deployment, worker) => {
    const first = startWaiting(deployment);
    await reference(deployment, first.taskId);
    const slow = await fetch(artifactUrl(deployment, first.taskId));
    first.goOn();
    await deployment.resolved(first.taskId);
    const second = startWaiting(deployment);
    await reference(deployment, second.taskId);
    const following = await readUntil(await fetch(artifactUrl(deployment, second.taskId)), "first words\n");
    second.goOn();
    assert.match(await following.rest(), /last words/);
    await deployment.resolved(second.taskId);
    assert.match(await slow.text(), /last words/);
    assert.doesNotMatch(worker.log, /No live log/);
  });
});
