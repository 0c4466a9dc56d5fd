import assert from "node:assert/strict";
import type { Config } from "../../../src/config/config.ts";
import { osGroups } from "../../../src/features/os_groups/mod.ts";
import { TaskException } from "../../../src/task/errors.ts";
import type { TaskRun } from "../../../src/task/task_run.ts";
import { runFeature, withTaskRun } from "../../support/fake_task_run.ts";

interface Situation {
  readonly groups: readonly string[];
  readonly own?: readonly string[];
  readonly config?: Partial<Config>;
}

function withGroups(situation: Situation, use: (task: TaskRun) => Promise<void> | void): Promise<void> {
  return withTaskRun({ payload: { osGroups: situation.groups } }, async ({ task }) => {
    const { worker } = task;
    const platform = { ...worker.platform, ownGroups: () => Promise.resolve(situation.own ?? []) };
    const config = { ...worker.config, provisionerId: "prov", workerType: "type", ...situation.config };
    await use(Object.assign(Object.create(task), { worker: { ...worker, platform, config } }));
  });
}

Deno.test("osGroups the worker's account belongs to are fine", () =>
  withGroups({ groups: ["video", "audio"], own: ["audio", "docker", "video"] }, async (task) => {
    assert((await runFeature(task, osGroups)).succeeded);
  }));

Deno.test("osGroups the worker's account does not belong to make the payload malformed, with what is allowed", () =>
  withGroups({ groups: ["foo", "video", "bar"], own: ["audio", "video"] }, async (task) => {
    const { first } = await runFeature(task, osGroups);
    assert(first instanceof TaskException);
    assert.equal(first.reason, "malformed-payload");
    assert.equal(
      first.message,
      "task payload contains unsupported osGroups: [foo, bar]\nallowed values: [audio, video]",
    );
  }));

Deno.test("each of the osGroups needs a scope of the worker's pool", () =>
  withGroups({ groups: ["a", "b"] }, (task) => {
    assert.deepEqual(osGroups.requiredScopes?.(task), [
      ["generic-worker:os-group:prov/type/a", "generic-worker:os-group:prov/type/b"],
    ]);
  }));

Deno.test("K6: a pool without OS Groups refuses only tasks that list some", async () => {
  const config = { enableOSGroups: false };
  await withGroups({ groups: [], config }, (task) => assert.equal(osGroups.requested(task), false));
  await withGroups({ groups: ["a"], config }, (task) => {
    assert.equal(osGroups.requested(task), true);
    assert.match(osGroups.disabled?.(task.worker) ?? "", /"OS Groups", which is not enabled/);
  });
  await withGroups({ groups: ["a"] }, (task) => assert.equal(osGroups.disabled?.(task.worker), undefined));
});
