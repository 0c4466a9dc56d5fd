import { strict as assert } from "node:assert";
import { serviceReferences } from "../../../src/embedded/api_reference.ts";
import { Cluster, slugid } from "../cluster.ts";

Deno.test("every entry of the queue's reference answers, and all answers fit their schemas", async () => {
  await using cluster = await Cluster.start();
  const taskGroupId = await cluster.create({ schedulerId: "sched" });
  const waiting = await cluster.create({ taskGroupId, schedulerId: "sched", dependencies: [taskGroupId] });
  const plain = await cluster.create();
  const taskId = taskGroupId;
  const task = { params: { taskId } };
  const group = { params: { taskGroupId } };
  const queue = { params: { taskQueueId: "prov/type" } };
  const pool = { provisionerId: "prov", workerType: "type" };
  const worker = { ...pool, workerGroup: "group", workerId: "worker" };

  await cluster.ok("queue.listPendingTasks", queue);
  const { run, as } = await cluster.claimOne();
  assert.equal(run.taskId, taskId);
  await cluster.ok("queue.reclaimTask", { params: run, as });
  for (const entry of ["ping", "version", "heartbeat", "lbheartbeat"]) {
    await cluster.ok(`queue.${entry}`, { as: null });
  }
  for (const entry of ["task", "status", "listDependentTasks"]) await cluster.ok(`queue.${entry}`, task);
  for (const entry of ["tasks", "statuses"]) {
    await cluster.ok(`queue.${entry}`, { body: { taskIds: [taskId, slugid()] } });
  }
  for (const entry of ["listTaskGroup", "getTaskGroup"]) await cluster.ok(`queue.${entry}`, group);
  for (const entry of ["pendingTasks", "taskQueueCounts", "listClaimedTasks", "getTaskQueue"]) {
    await cluster.ok(`queue.${entry}`, queue);
  }
  for (const entry of ["listProvisioners", "listTaskQueues"]) await cluster.ok(`queue.${entry}`);
  for (const entry of ["getProvisioner", "listWorkerTypes"]) {
    await cluster.ok(`queue.${entry}`, { params: { provisionerId: "prov" } });
  }
  await cluster.ok("queue.getWorkerType", { params: pool });
  await cluster.ok("queue.listWorkers", { params: pool, query: { quarantined: "false" } });
  await cluster.ok("queue.getWorker", { params: worker });
  await cluster.ok("queue.declareWorker", {
    params: { ...worker, workerId: "declared" },
    body: { expires: cluster.clock.timestamp(1000) },
  });
  await cluster.ok("queue.quarantineWorker", {
    params: worker,
    body: { quarantineUntil: cluster.clock.timestamp(1000) },
  });
  await cluster.ok("queue.changeTaskPriority", { ...task, body: { newPriority: "high" } });
  const changed = await cluster.ok("queue.changeTaskGroupPriority", {
    ...group,
    body: { newPriority: "high" },
  });
  assert.deepEqual(changed.taskIds, [waiting], "what has that priority already is not counted");
  await cluster.ok("queue.scheduleTask", { params: { taskId: waiting } });
  const artifact = { params: { ...run, name: "public/a" } };
  const expires = cluster.clock.timestamp(1000);
  const reference = {
    storageType: "reference",
    contentType: "text/plain",
    url: "https://example.com/",
    expires,
  };
  await cluster.ok("queue.createArtifact", { ...artifact, as, body: reference });
  for (const entry of ["getArtifact", "artifact", "artifactInfo"]) {
    await cluster.ok(`queue.${entry}`, artifact);
  }
  const latest = { params: { taskId, name: "public/a" } };
  for (const entry of ["getLatestArtifact", "latestArtifact", "latestArtifactInfo"]) {
    await cluster.ok(`queue.${entry}`, latest);
  }
  await cluster.ok("queue.listArtifacts", { params: run });
  await cluster.ok("queue.listLatestArtifacts", task);
  await cluster.refusal("queue.finishArtifact", { ...artifact, as, body: { uploadId: slugid() } });
  await cluster.ok("queue.reportCompleted", { params: run, as });
  await cluster.ok("queue.rerunTask", task);
  const claim = (id: string, runId: string) =>
    cluster.ok("queue.claimTask", {
      params: { taskId: id, runId },
      body: { workerGroup: "group", workerId: "worker" },
    });
  await claim(taskId, "1");
  await cluster.ok("queue.reportFailed", { params: { taskId, runId: "1" } });
  await claim(plain, "0");
  await cluster.ok("queue.reportException", {
    params: { taskId: plain, runId: "0" },
    body: { reason: "internal-error" },
  });
  await cluster.ok("queue.cancelTask", { params: { taskId: waiting } });
  await cluster.ok("queue.sealTaskGroup", group);
  await cluster.ok("queue.cancelTaskGroup", group);

  const queueReference = serviceReferences.find(({ serviceName }) => serviceName === "queue");
  const missed = queueReference?.entries.filter(({ name }) =>
    cluster.tc.requests.count(`queue.${name}`) === 0
  );
  assert.deepEqual(missed, []);
});

Deno.test("the queue answers 404 for what does not exist, and 400 for ids that cannot", async () => {
  await using cluster = await Cluster.start();
  const unknown = slugid();
  const cases: [string, Record<string, string>, string][] = [
    ["task", { taskId: unknown }, "404 ResourceNotFound"],
    ["task", { taskId: "not-a-slug" }, "400 InvalidRequestArguments"],
    ["listTaskGroup", { taskGroupId: unknown }, "404 ResourceNotFound"],
    ["getLatestArtifact", { taskId: unknown, name: "public/a" }, "404 ResourceNotFound"],
    ["getProvisioner", { provisionerId: "never" }, "404 ResourceNotFound"],
    [
      "getWorker",
      { provisionerId: "p", workerType: "t", workerGroup: "g", workerId: "w" },
      "404 ResourceNotFound",
    ],
  ];
  for (const [entry, params, refusal] of cases) {
    assert.equal(await cluster.refusal(`queue.${entry}`, { params }), refusal, entry);
  }
  const taskId = await cluster.create();
  for (
    const [runId, refusal] of [["1", "404 ResourceNotFound"], ["01", "400 InvalidRequestArguments"]] as const
  ) {
    assert.equal(await cluster.refusal("queue.reportCompleted", { params: { taskId, runId } }), refusal);
  }
});

Deno.test("listTaskGroup gives pages that together hold each task once", async () => {
  await using cluster = await Cluster.start();
  const taskGroupId = await cluster.create();
  const ids = [taskGroupId];
  for (let i = 0; i < 4; i++) ids.push(await cluster.create({ taskGroupId }));
  interface Page {
    readonly tasks: readonly { readonly status: { readonly taskId: string } }[];
    readonly continuationToken?: string;
  }
  const seen: string[] = [];
  let query: Record<string, string> = { limit: "2" };
  for (let page = 0; page < 3; page++) {
    const { tasks, continuationToken } = await cluster.ok<Page>("queue.listTaskGroup", {
      params: { taskGroupId },
      query,
    });
    seen.push(...tasks.map(({ status }) => status.taskId));
    query = { limit: "2", ...(continuationToken === undefined ? {} : { continuationToken }) };
    assert.equal(continuationToken === undefined, page === 2);
  }
  assert.deepEqual(seen.sort(), ids.sort());
});
