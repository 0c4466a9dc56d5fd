import { strict as assert } from "node:assert";
import { TaskIndex } from "../../src/embedded/index.ts";
import { indexCompletedTask } from "../../src/embedded/index_routes.ts";
import { completeDefinition } from "../../src/embedded/queue/task_definition.ts";
import { type Run, TaskRecord } from "../../src/embedded/queue/task_record.ts";
import { dayMs, hourMs, ServiceClock } from "./service_clock.ts";

const taskId = "AAAAAAAAQAGAAAAAAAAAAA";

/** A task whose last run is in this state. */
function task(
  clock: ServiceClock,
  definition: { routes: string[]; extra?: object; state?: Run["state"] },
): TaskRecord {
  const { routes, extra = {}, state = "completed" } = definition;
  const request = {
    taskQueueId: "prov/pool",
    schedulerId: "-",
    projectId: "none",
    dependencies: [],
    requires: "all-completed" as const,
    priority: "lowest" as const,
    retries: 5,
    created: clock.timestamp(),
    deadline: clock.timestamp(hourMs),
    expires: clock.timestamp(dayMs),
    scopes: [],
    payload: {},
    metadata: { name: "", description: "", owner: "", source: "https://example.com/" },
    tags: {},
    routes,
    extra: { ...extra },
  };
  const complete = completeDefinition(taskId, request, { nowMs: clock.nowMs() });
  const record = new TaskRecord(taskId, complete, { waitsFor: [] });
  record.runs.push({ runId: 0, state, reasonCreated: "scheduled", scheduled: clock.timestamp() });
  return record;
}

Deno.test("indexCompletedTask() puts a completed task under each of its index routes", () => {
  const clock = new ServiceClock();
  const index = new TaskIndex(clock);
  const routes = [
    "index.project.latest",
    "index.project.revision.abc",
    "notify.email.me",
    "index.not a path",
    "index",
  ];
  indexCompletedTask(index, task(clock, { routes }));
  const expected = { taskId, rank: 0, data: {}, expiresMs: clock.nowMs() + dayMs };
  assert.deepEqual(index.tasksIn("project"), [{ ...expected, namespace: "project.latest" }]);
  assert.deepEqual(index.tasksIn("project.revision"), [{ ...expected, namespace: "project.revision.abc" }]);
  assert.deepEqual([index.tasksIn(""), index.namespacesIn("").length], [[], 1]);
});

Deno.test("indexCompletedTask() takes rank, data and expiry from the task's extra.index", () => {
  const clock = new ServiceClock();
  const index = new TaskIndex(clock);
  const extra = { index: { rank: 7, data: { revision: "abc" }, expires: clock.timestamp(hourMs) } };
  indexCompletedTask(index, task(clock, { routes: ["index.a"], extra }));
  assert.deepEqual(index.find("a"), {
    namespace: "a",
    taskId,
    rank: 7,
    data: { revision: "abc" },
    expiresMs: clock.nowMs() + hourMs,
  });
});

Deno.test("indexCompletedTask() bears nonsense in extra.index", () => {
  const clock = new ServiceClock();
  for (const nonsense of [null, 1, "text", [], { rank: "high", data: [], expires: "never" }]) {
    const index = new TaskIndex(clock);
    indexCompletedTask(index, task(clock, { routes: ["index.a"], extra: { index: nonsense } }));
    assert.deepEqual([index.find("a")?.rank, index.find("a")?.data], [0, {}], JSON.stringify(nonsense));
  }
});

Deno.test("indexCompletedTask() leaves tasks out that did not complete", () => {
  const clock = new ServiceClock();
  const index = new TaskIndex(clock);
  for (const state of ["pending", "running", "failed", "exception"] as const) {
    indexCompletedTask(index, task(clock, { routes: ["index.a"], state }));
  }
  assert.equal(index.find("a"), undefined);
});
