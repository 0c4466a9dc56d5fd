/**
 * A worker with `createObjectArtifacts`, whose artifacts the stock npm client reads back: it checks what comes
 * against the hashes that the object service knows (acceptance 8 of spec 03 §10).
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Writable } from "node:stream";
import { taskcluster as stock } from "../interop/npm_client.ts";
import { type Deployment, shell, withWorker } from "../support/worker.ts";

const sizes = [0, 8191, 8192, 5_000_000];

/** The artifact, with the type it came with. */
async function download(
  { taskcluster: { rootUrl, credentials } }: Deployment,
  { taskId, name }: { taskId: string; name: string },
): Promise<{ bytes: Buffer; contentType: string }> {
  const { clientId, accessToken } = credentials;
  const queue = new stock.Queue({
    rootUrl,
    credentials: { clientId, accessToken: accessToken.reveal() },
    retries: 0,
  });
  const pieces: Buffer[] = [];
  const streamFactory = () =>
    Promise.resolve(
      new Writable({
        write(piece: Buffer, _encoding, done) {
          pieces.push(Buffer.from(piece));
          done();
        },
      }),
    );
  try {
    const contentType = await stock.downloadArtifact({ taskId, name, queue, streamFactory });
    return { bytes: Buffer.concat(pieces), contentType };
  } finally {
    stock.agents.http.destroy();
  }
}

Deno.test("a worker that creates objects publishes files of every size and its log, for the stock client to read", () =>
  withWorker({ config: { createObjectArtifacts: true } }, async (deployment, worker) => {
    const make = sizes.map((size) => `seq 1 800000 | head -c ${size} > out/${size}.txt`).join("; ");
    const { taskId, resolution } = await deployment.run(shell(`mkdir out; ${make}; echo done making`, {
      artifacts: [{ type: "directory", path: "out", name: "public/out" }],
    }));
    assert.equal(resolution, "completed/completed", worker.log);
    const numbers = Buffer.from(Array.from({ length: 800_000 }, (_, index) => `${index + 1}\n`).join(""));
    for (const size of sizes) {
      const { bytes, contentType } = await download(deployment, { taskId, name: `public/out/${size}.txt` });
      assert.ok(bytes.equals(numbers.subarray(0, size)), `${size} bytes`);
      assert.equal(contentType, "text/plain; charset=utf-8");
    }
    const log = await download(deployment, { taskId, name: "public/logs/live_backing.log" });
    assert.match(log.bytes.toString(), /^done making$/m);
    const kinds = deployment.taskcluster.queue.artifacts(taskId).map((
      { name, storageType },
    ) => [name, storageType]);
    const live = kinds.filter(([name]) => name === "public/logs/live.log");
    assert.deepEqual(live.map(([, kind]) => kind), live.map(() => "link"));
    const others = kinds.filter(([name]) => name !== "public/logs/live.log");
    assert.deepEqual(others.map(([, kind]) => kind), Array(sizes.length + 1).fill("object"));
  }));
