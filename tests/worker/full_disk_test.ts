/** A disk without room: tasks are told, later tasks are fine, and the worker lives (spec 01 §6.8). */

import assert from "node:assert/strict";
import { TaskSignal } from "../support/task_signal.ts";
import { type Deployment, shell, withDeployment } from "../support/worker.ts";

/** Puts everything of the worker on a disk of its own, as small as said. */
async function withSmallDisk(
  { megabytes, config = {} }: { megabytes: number; config?: Record<string, unknown> },
  use: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  await withDeployment({ config }, async (deployment) => {
    const { directory } = deployment;
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory]);
    try {
      await use(deployment);
    } finally {
      await run("umount", ["--lazy", directory]);
    }
  });
}

async function run(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

const fill = "dd if=/dev/zero of=fill bs=64k 2>/dev/null";

Deno.test("a task that fills the disk loses output, is told how much, and the next task is fine", async () => {
  await withSmallDisk({ megabytes: 6 }, async (deployment) => {
    const worker = await deployment.startWorker();
    for (const payload of [shell(`${fill}; seq 200000`), shell(`${fill}; seq 200000; rm fill; echo after`)]) {
      const { taskId, resolution } = await deployment.run(payload);
      assert.equal(resolution, "exception/internal-error");
      const lastLines = (await deployment.log(taskId)).split("\n").slice(-3).join("\n");
      assert.match(
        lastLines,
        /\n\[taskcluster:error\] \d+ bytes of this log are missing, .*: No space left on device.*\n$/,
      );
    }
    assert.equal((await deployment.run(shell("echo fine"))).resolution, "completed/completed");
    assert.ok(!worker.log.includes("PANIC"), worker.log);
  });
});

Deno.test("artifacts that need no room are published from a full disk, and the log names the one that does", async () => {
  await withSmallDisk({ megabytes: 12 }, async (deployment) => {
    const worker = await deployment.startWorker();
    const payload = shell(`seq 500000 > numbers.txt; seq 3 > few.txt; ${fill}; exit 0`, {
      artifacts: [
        { type: "file", path: "numbers.txt", name: "public/numbers.txt", contentEncoding: "gzip" },
        { type: "file", path: "few.txt", name: "public/few.txt" },
        { type: "file", path: "numbers.txt", name: "public/plain.txt", contentEncoding: "identity" },
      ],
    });
    const { taskId, resolution } = await deployment.run(payload);
    const text = await deployment.log(taskId);
    assert.ok(!worker.log.includes("PANIC"), worker.log);
    assert.equal(await deployment.artifactText(taskId, "public/few.txt"), "1\n2\n3\n");
    assert.equal((await deployment.artifactText(taskId, "public/plain.txt")).length, 3_388_895);
    assert.equal(resolution, "exception/resource-unavailable");
    assert.match(
      text,
      /\[taskcluster:error\] Could not compress '.*\/numbers\.txt': No space left on device/,
    );
    assert.equal((await deployment.run(shell("echo fine"))).resolution, "completed/completed");
  });
});

Deno.test("an idle worker whose disk has too little room ends with 69 and says what is missing", async () => {
  await withSmallDisk({ megabytes: 6, config: { requiredDiskSpaceMegabytes: 100 } }, async (deployment) => {
    const taskId = deployment.createTask(shell("true"));
    const worker = await deployment.spawnWorker();
    assert.equal(await worker.exited, 69);
    assert.match(
      worker.log,
      /Not enough disk space to run a task: \/.*tasks has .* requiredDiskSpaceMegabytes/,
    );
    assert.ok(!worker.log.includes("PANIC"), worker.log);
    assert.equal(deployment.taskcluster.queue.status(taskId).state, "pending");
  });
});

Deno.test("a busy worker whose disk has too little room claims again when a task has made room", async () => {
  await using begun = await TaskSignal.make();
  await using go = await TaskSignal.make();
  const config = { capacity: 2, requiredDiskSpaceMegabytes: 8 };
  await withSmallDisk({ megabytes: 16, config }, async (deployment) => {
    const script = `dd if=/dev/zero of=fill bs=1M count=10 2>/dev/null
      echo begun > ${begun.path}; read line < ${go.path}`;
    const first = deployment.createTask(shell(script));
    const worker = await deployment.startWorker();
    await begun.received();
    const second = deployment.createTask(shell("true"));
    await worker.says("Not claiming further tasks until a running one has ended");
    assert.equal(deployment.taskcluster.queue.status(second).state, "pending");
    await Deno.writeTextFile(go.path, "go\n");
    assert.equal((await deployment.resolved(first)).resolution, "completed/completed");
    assert.equal((await deployment.resolved(second)).resolution, "completed/completed");
  });
});
