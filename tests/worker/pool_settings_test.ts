/** What a pool has switched off, and what a task may not ask for, is explained to those who ask and no one else. */

import assert from "node:assert/strict";
import { shell, withWorker } from "../support/worker.ts";

const off = {
  enableLiveLog: false,
  enableMetadata: false,
  enableMounts: false,
  enableOSGroups: false,
  enableResourceMonitor: false,
};

Deno.test("features that are switched off do not break tasks that do not ask for them (K6)", async () => {
  await withWorker({ config: off }, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell("echo fine", { mounts: [], osGroups: [] }));
    const log = await deployment.log(taskId);
    assert.equal(resolution, "completed/completed", log);
    assert.ok(!log.includes("System Memory"));
    assert.deepEqual(deployment.taskcluster.queue.artifacts(taskId).map(({ name }) => name), [
      "public/logs/live_backing.log",
    ]);
    const note = `${deployment.directory}/generic-worker-metadata.json`;
    await assert.rejects(Deno.stat(note), Deno.errors.NotFound);
  });
});

Deno.test("a task that asks for a feature that is switched off is told so, and whom to ask (K6)", async () => {
  const cases = {
    "OS Groups": { osGroups: ["audio"] },
    "Resource Monitor": { features: { resourceMonitor: true } },
    "Live Log": { features: { liveLog: true } },
  };
  await withWorker({ config: { ...off, capacity: 3 } }, async (deployment) => {
    await Promise.all(
      Object.entries(cases).map(async ([name, more]) => {
        const { taskId, resolution } = await deployment.run(shell("echo never", more));
        const log = await deployment.log(taskId);
        assert.equal(resolution, "exception/malformed-payload", log);
        assert.ok(log.includes(`feature "${name}", which is not enabled on this worker pool (local/worker)`));
        assert.ok(log.includes("/worker-manager/local%2Fworker"));
        assert.ok(!log.includes("never\n"));
      }),
    );
  });
});

Deno.test("a task without the scopes of its groups is told which are missing", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell("true", { osGroups: ["audio", "video"] }), {
      scopes: ["a:b", "generic-worker:os-group:local/worker/audio"],
    });
    assert.equal(resolution, "exception/malformed-payload");
    const lines = (await deployment.log(taskId)).split("\n")
      .filter((line) => line.startsWith("[taskcluster:error] "))
      .map((line) => line.slice("[taskcluster:error] ".length));
    assert.deepEqual(lines, [
      'Feature "OS Groups" requires scopes:',
      "",
      "generic-worker:os-group:local/worker/audio, and",
      "generic-worker:os-group:local/worker/video",
      "",
      "but task only has scopes:",
      "",
      "a:b and generic-worker:os-group:local/worker/audio",
      "",
      "You probably should add some scopes to your task definition.",
    ]);
  });
});

Deno.test("scopes may come from a role, and a group the worker is not in is refused all the same", async () => {
  await withWorker({}, async (deployment) => {
    deployment.taskcluster.setRole("grouper", ["generic-worker:os-group:local/worker/*"]);
    const { taskId, resolution } = await deployment.run(shell("true", { osGroups: ["no-such-group"] }), {
      scopes: ["assume:grouper"],
    });
    assert.equal(resolution, "exception/malformed-payload");
    assert.match(
      await deployment.log(taskId),
      /task payload contains unsupported osGroups: \[no-such-group\]\n\[taskcluster:error\] allowed values: \[/,
    );
  });
});

Deno.test("an artifact named like a log is skipped with a warning, and the log is the log", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell("echo mine > a", {
      artifacts: [
        { type: "file", path: "a", name: "public/logs/live_backing.log" },
        { type: "file", path: "a", name: "public/logs/live.log" },
        { type: "file", path: "a", name: "public/a" },
      ],
    }));
    assert.equal(resolution, "completed/completed");
    const log = await deployment.log(taskId);
    assert.match(log, /^\[taskcluster:warn .*Not uploading artifact public\/logs\/live_backing\.log /m);
    assert.match(log, /^\[taskcluster:warn .*Not uploading artifact public\/logs\/live\.log /m);
    assert.equal(await deployment.artifactText(taskId, "public/a"), "mine\n");
  });
});

Deno.test("the default name of a log is free when the payload gives the log another (K26)", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(shell("echo mine > a", {
      artifacts: [{ type: "file", path: "a", name: "public/logs/live_backing.log" }],
      logs: { backing: "public/mine.log", live: "public/mine_live.log" },
    }));
    assert.equal(resolution, "completed/completed");
    assert.equal(await deployment.log(taskId), "mine\n");
    assert.match(await deployment.artifactText(taskId, "public/mine.log"), /=== Task Finished ===/);
    assert.deepEqual(deployment.taskcluster.queue.artifacts(taskId).map(({ name }) => name), [
      "public/logs/live_backing.log",
      "public/mine.log",
      "public/mine_live.log",
    ]);
  });
});

Deno.test("two logs under one name are refused, with both names", async () => {
  await withWorker({}, async (deployment) => {
    const { taskId, resolution } = await deployment.run(
      shell("true", { logs: { backing: "public/one.log", live: "public/one.log" } }),
    );
    assert.equal(resolution, "exception/malformed-payload");
    assert.match(
      await deployment.artifactText(taskId, "public/one.log"),
      /Feature "Live Log" wishes to publish artifact public\/one\.log but feature Backing log has already/,
    );
  });
});

Deno.test("a task that wants no log has none, and its run the right end", async () => {
  await withWorker({}, async (deployment) => {
    const features = { backingLog: false, liveLog: false };
    const { taskId, resolution } = await deployment.run(shell("exit 7", { features }));
    assert.equal(resolution, "failed/failed");
    assert.deepEqual(deployment.taskcluster.queue.artifacts(taskId), []);
  });
});

Deno.test("the note about the last task names its run (spec 02 §8)", async () => {
  await withWorker({}, async (deployment, worker) => {
    const { taskId } = await deployment.run(shell("true"));
    await worker.says("Resolved 1 tasks");
    const note = await Deno.readTextFile(`${deployment.directory}/generic-worker-metadata.json`);
    assert.deepEqual(JSON.parse(note), {
      lastTaskUrl: `${deployment.taskcluster.rootUrl}/tasks/${taskId}/runs/0`,
    });
  });
});

Deno.test("an exit code that is to be retried gives the task another run while it has retries", async () => {
  await withWorker({ settings: { longPollMs: 200 } }, async (deployment) => {
    const payload = shell("exit $((40 + RUN_ID))", { onExitStatus: { retry: [40, 41] } });
    const { status, resolution } = await deployment.run(payload, { retries: 3 });
    assert.equal(resolution, "failed/failed");
    assert.deepEqual(status.runs.map((run) => run.reasonResolved), [
      "intermittent-task",
      "intermittent-task",
      "failed",
    ]);
  });
});
