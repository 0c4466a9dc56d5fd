/** Artifacts far larger than what the worker may hold in memory. */

import assert from "node:assert/strict";
import { shell, withWorker } from "../support/worker.ts";

const megabyte = 1024 * 1024;

/** Peak of what the process held in RAM, bytes. */
async function peakMemory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function sha256(script: string): Promise<string> {
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", `${script} | sha256sum`] }).output();
  return new TextDecoder().decode(stdout).slice(0, 64);
}

for (const createObjectArtifacts of [false, true]) {
  const how = createObjectArtifacts ? "as objects" : "compressed, several at a time";
  Deno.test(`large artifacts arrive whole ${how}, in less than 250 MB of memory`, () =>
    withWorker({ config: { createObjectArtifacts } }, async (deployment, worker) => {
      const starts = [1, 2, 3];
      const numbers = (start: number) => `seq ${start} 9000000 | head -c 60000000`;
      const make = starts.map((start) => `${numbers(start)} > out/${start}.txt`).join("; ");
      const { taskId, resolution } = await deployment.run(shell(`mkdir out; ${make}`, {
        artifacts: [{ type: "directory", path: "out", name: "public" }],
      }));
      assert.equal(resolution, "completed/completed", worker.log);
      for (const start of starts) {
        const stored = deployment.taskcluster.queue.stored(taskId, `public/${start}.txt`);
        assert.ok(stored);
        const read = createObjectArtifacts ? "cat" : "zcat";
        assert.equal(await sha256(`${read} < '${stored.path}'`), await sha256(numbers(start)));
        assert.equal(stored.lengthBytes < 60_000_000 / 2, !createObjectArtifacts);
      }
      const peak = await peakMemory(worker.pid);
      assert.ok(peak < 250 * megabyte, `${Math.round(peak / megabyte)} MB`);
    }));
}
