/** Mounts and caches through the whole worker. */

import assert from "node:assert/strict";
import { answerHead, ScriptedServer } from "../services/scripted_server.ts";
import { TaskSignal } from "../support/task_signal.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { shell, withDeployment, withWorker } from "../support/worker.ts";

const scopes = ["generic-worker:cache:*"];

Deno.test("a counter file in a cache counts the tasks that used it", async () => {
  await withWorker({}, async (deployment) => {
    const payload = shell("echo x >> cache/count; wc -l < cache/count", {
      mounts: [{ cacheName: "counter", directory: "cache" }],
    });
    for (let number = 1; number <= 3; number++) {
      const { taskId, resolution } = await deployment.run(payload, { scopes });
      const log = await deployment.log(taskId);
      assert.equal(resolution, "completed/completed", log);
      assert.match(log, new RegExp(`^${number}$`, "m"));
    }
  });
});

Deno.test("content of a cache is unpacked for a new one only", async () => {
  await withWorker({}, async (deployment) => {
    const archive = `${deployment.directory}/preload.tar.gz`;
    const made = await new Deno.Command("tar", {
      args: ["-czf", archive, "--transform", "s,.*,dir/preloaded,", "/etc/hostname"],
    }).output();
    assert.ok(made.success);
    const bytes = await Deno.readFile(archive);
    await using server = new ScriptedServer(
      () => [answerHead("200 OK", { "content-length": bytes.length }), bytes],
    );
    const payload = shell("ls c/dir; rm c/dir/preloaded; touch c/dir/own", {
      mounts: [{ cacheName: "c", directory: "c", content: { url: `${server.url}/x` }, format: "tar.gz" }],
    });
    const first = await deployment.run(payload, { scopes });
    assert.equal(first.resolution, "completed/completed", await deployment.log(first.taskId));
    assert.match(await deployment.log(first.taskId), /^preloaded$/m);
    const second = await deployment.run(shell("ls c/dir", { mounts: payload["mounts"] }), { scopes });
    assert.match(await deployment.log(second.taskId), /^own$/m);
    assert.equal(server.requests.length, 1);
  });
});

Deno.test("a task without the scope for its cache is malformed, and one with it is not", async () => {
  await withWorker({}, async (deployment) => {
    const payload = shell("true", { mounts: [{ cacheName: "c", directory: "c" }] });
    const refused = await deployment.run(payload, { scopes: ["generic-worker:cache:d"] });
    assert.equal(refused.resolution, "exception/malformed-payload");
    assert.match(
      await deployment.log(refused.taskId),
      /Feature "Mounts\/Caches" requires scopes:[^]*cache:c/,
    );
    const accepted = await deployment.run(payload, { scopes: ["generic-worker:cache:c"] });
    assert.equal(accepted.resolution, "completed/completed");
  });
});

Deno.test("a task that mounts an artifact of no dependency is malformed", async () => {
  await withWorker({}, async (deployment) => {
    const other = await deployment.run(shell("true"));
    const content = { taskId: other.taskId, artifact: "public/logs/live_backing.log" };
    const payload = shell("wc -l f", { mounts: [{ file: "f", content }] });
    const refused = await deployment.run(payload);
    assert.equal(refused.resolution, "exception/malformed-payload");
    assert.match(
      await deployment.log(refused.taskId),
      new RegExp(`\\[mounts\\] task.dependencies needs to include ${other.taskId} since`),
    );
    deployment.taskcluster.setRole("anonymous", ["queue:get-artifact:public/*"]);
    const accepted = await deployment.run(payload, { dependencies: [other.taskId] });
    assert.equal(accepted.resolution, "completed/completed", await deployment.log(accepted.taskId));
  });
});

Deno.test("W-30: a worker with mounts switched off refuses only tasks that mount something", async () => {
  await withWorker({ config: { enableMounts: false } }, async (deployment) => {
    assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
    const payload = shell("true", { mounts: [{ file: "f", content: { raw: "x" } }] });
    assert.equal((await deployment.run(payload)).resolution, "exception/malformed-payload");
  });
});

Deno.test("an archive that is none fails its task, and the worker takes the next", async () => {
  await withWorker({}, async (deployment) => {
    const mounts = [{ directory: "d", content: { raw: "not a zip" }, format: "zip" }];
    const failed = await deployment.run(shell("true", { mounts }));
    assert.equal(failed.resolution, "failed/failed");
    assert.match(
      await deployment.log(failed.taskId),
      /error\] \[mounts\] cannot unarchive \S+ to \S+ as task user: /,
    );
    assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
  });
});

Deno.test("W-47: a task whose worker is ended while it downloads ends at once, and its cache is kept", async () => {
  const asked = Promise.withResolvers<void>();
  const stuck = Promise.withResolvers<void>();
  await using server = new ScriptedServer(() => {
    asked.resolve();
    return [answerHead("200 OK", { "content-length": 10 }), "half ", stuck.promise];
  });
  try {
    await withWorker({}, async (deployment, worker) => {
      const mounts = [{ cacheName: "c", directory: "c" }];
      await deployment.run(shell("echo kept > c/file", { mounts }), { scopes });
      const url = `${server.url}/x`;
      const payload = shell("true", { mounts: [...mounts, { file: "f", content: { url } }] });
      deployment.createTask(payload, { scopes });
      await asked.promise;
      worker.kill("SIGTERM");
      await worker.exited;
      assert.deepEqual(names(`${deployment.directory}/downloads`), []);
      const [cache] = names(`${deployment.directory}/caches`);
      assert.equal(await Deno.readTextFile(`${deployment.directory}/caches/${cache}/file`), "kept\n");
    });
  } finally {
    stuck.resolve();
  }
});

Deno.test("W-61: a killed worker's next start keeps idle caches and deletes the one in use, wherever it lies", async () => {
  await using begun = await TaskSignal.make();
  using elsewhere = new TemporaryDirectory();
  await withWorker({}, async (deployment, worker) => {
    const mounts = [{ cacheName: "used", directory: elsewhere.at("cache") }];
    const idle = [{ cacheName: "idle", directory: "c" }];
    await deployment.run(shell("echo idle > c/file", { mounts: idle }), { scopes });
    const endless = shell(`echo half > ${elsewhere.at("cache/file")}; pwd > ${begun.path}; sleep 1000`, {
      mounts,
    });
    deployment.createTask(endless, { scopes });
    await begun.received();
    worker.kill("SIGKILL");
    await worker.exited;
    assert.deepEqual(names(elsewhere.path), ["cache"]);
    const next = await deployment.startWorker();
    assert.deepEqual(names(elsewhere.path), []);
    assert.match(next.log, /Deleting cache used, mounted at \S+ when the worker ended/);
    const { taskId } = await deployment.run(shell("cat c/file", { mounts: idle }), { scopes });
    assert.match(await deployment.log(taskId), /^idle$/m);
    assert.equal(names(`${deployment.directory}/caches`).length, 1);
  });
});

Deno.test("state files that make no sense do not stop the worker (W-32), and strays go (W-33)", async () => {
  await withDeployment({}, async (deployment) => {
    const at = (name: string) => `${deployment.directory}/${name}`;
    await Deno.writeTextFile(at("directory-caches.json"), "{ half");
    await Deno.mkdir(at("caches/AAAAAAAAQ-CAAAAAAAAAAA"), { recursive: true });
    await Deno.writeTextFile(at("caches/README"), "not ours");
    await Deno.mkdir(at("downloads"));
    await Deno.writeTextFile(at("downloads/AAAAAAAAQ-CAAAAAAAAAAA.part"), "");
    const worker = await deployment.startWorker();
    assert.match(worker.log, /ERROR: Could not read \S+directory-caches\.json/);
    assert.deepEqual([names(at("caches")), names(at("downloads"))], [["README"], []]);
  });
});

Deno.test("strays stay in a cache directory outside the worker's own, which other workers may share", async () => {
  await withDeployment({}, async (deployment) => {
    const shared = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${shared}/AAAAAAAAQ-CAAAAAAAAAAA`);
      await deployment.startWorker({ cachesDir: shared });
      assert.deepEqual(names(shared), ["AAAAAAAAQ-CAAAAAAAAAAA"]);
    } finally {
      await Deno.remove(shared, { recursive: true });
    }
  });
});

Deno.test("a worker short of disk space gives up idle caches before it gives up itself", async () => {
  await withDeployment({}, async (deployment) => {
    const first = await deployment.startWorker({ numberOfTasksToRun: 1 });
    await deployment.run(shell("true", { mounts: [{ cacheName: "c", directory: "c" }] }), { scopes });
    await first.exited;
    assert.equal(names(`${deployment.directory}/caches`).length, 1);
    await Deno.remove(`${deployment.directory}/tasks-resolved-count.txt`);
    const config = { requiredDiskSpaceMegabytes: 1_000_000_000, shutdownMachineOnInternalError: false };
    const second = await deployment.spawnWorker(config);
    assert.equal(await second.exited, 69);
    assert.match(second.log, /bytes available in \S+ but 1048576000000000 required. Garbage collecting/);
    assert.deepEqual(names(`${deployment.directory}/caches`), []);
  });
});

function names(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).toSorted();
}
