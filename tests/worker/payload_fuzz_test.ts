/** Hundreds of spoilt payloads through the whole worker: each is answered, and the worker lives. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { shell, withWorker } from "../support/worker.ts";

type Json = Record<string, unknown>;

const seed = 20261124;
const count = 300;

/** Harmless whatever becomes of it: no path in it leads out of the task's directory. */
const whole: Json = {
  command: [["/bin/echo", "a", "b"], ["/bin/echo", "c"]],
  env: { A: "1" },
  maxRunTime: 60,
  artifacts: [
    { type: "file", path: "out.txt", name: "public/out.txt", contentType: "text/plain", optional: true },
    { type: "directory", path: "out", name: "public/out", contentEncoding: "gzip" },
  ],
  features: { backingLog: true, liveLog: true, resourceMonitor: false },
  mounts: [{ file: "m", content: { raw: "" } }],
  onExitStatus: { retry: [1], purgeCaches: [0] },
  logs: { live: "public/l.log", backing: "public/b.log" },
};

const odd = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\u0000",
    "\n",
    "💥",
    "a b",
    "x".repeat(70_000),
    "é",
    "%",
    "-rf",
    "\u202e",
    "\ud800",
  ),
  fc.constantFrom(0, -1, 0.5, 1, 2 ** 53, 1e21, -0),
  fc.constantFrom(null, true, false, [], {}, [[]], [null], { a: 1 }),
);

/** The payload with the value at a random place deleted, replaced, or joined by another. */
const spoilt = fc.record({
  place: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
  how: fc.constantFrom("delete", "replace", "add"),
  key: fc.constantFrom("", "image", "__proto__", "path", "0", "\u0000", "osGroups", "command"),
  value: odd,
}).map(({ place, how, key, value }) => {
  const payload = structuredClone(whole);
  delete payload["mounts"];
  let holder: unknown = payload;
  for (const [depth, number] of place.entries()) {
    if (typeof holder !== "object" || holder === null) break;
    const keys = Object.keys(holder);
    if (keys.length === 0 || how === "add" && depth === place.length - 1) {
      Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
      break;
    }
    const name = keys[number % keys.length]!;
    const inner: unknown = Reflect.get(holder, name);
    if (depth < place.length - 1 && typeof inner === "object" && inner !== null) {
      holder = inner;
      continue;
    }
    if (how === "delete") Reflect.deleteProperty(holder, name);
    else Reflect.set(holder, name, value);
    break;
  }
  return payload;
});

Deno.test(`${count} spoilt payloads are each answered with words a person understands, and the worker lives`, async () => {
  const payloads = fc.sample(spoilt, { seed, numRuns: count });
  await withWorker({ config: { capacity: 8 } }, async (deployment, worker) => {
    const seen = new Map<string, number>();
    await Promise.all(payloads.map(async (payload) => {
      const { taskId, resolution } = await deployment.run(payload, { retries: 0 });
      seen.set(resolution, (seen.get(resolution) ?? 0) + 1);
      const text = JSON.stringify(payload).slice(0, 500);
      const legitimate = ["exception/malformed-payload", "completed/completed", "failed/failed"];
      assert.ok(legitimate.includes(resolution), `${resolution}: ${text}`);
      if (resolution !== "exception/malformed-payload") return;
      const name = deployment.taskcluster.queue.artifacts(taskId).find(({ name }) =>
        /backing|b\.log/.test(name)
      );
      assert.ok(name, `a log explains ${text}`);
      const log = await deployment.artifactText(taskId, name.name);
      assert.match(
        log,
        /\[taskcluster:error\] (- \S+: \S+|.*(artifact|osGroups|scopes|Feature|feature))/,
        text,
      );
    }));
    assert.ok((seen.get("exception/malformed-payload") ?? 0) > count / 4, Deno.inspect(seen));
    assert.equal((await deployment.run(shell("true"))).resolution, "completed/completed");
    assert.ok(!worker.log.includes("PANIC"), worker.log.slice(worker.log.indexOf("PANIC"), 2_000));
  });
});
