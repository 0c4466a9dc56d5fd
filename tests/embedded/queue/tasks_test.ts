import { strict as assert } from "node:assert";
import type { TaskStatus } from "../../../src/services/queue_types.ts";
import { Cluster, type RefusalBody, slugid } from "../cluster.ts";

interface StatusBody {
  readonly status: TaskStatus;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

Deno.test("createTask fills in everything that was left out", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ deadline: cluster.clock.timestamp(dayMs) });
  const task = await cluster.ok("queue.task", { params: { taskId }, as: null });
  assert.deepEqual(task, {
    taskQueueId: "prov/type",
    provisionerId: "prov",
    workerType: "type",
    schedulerId: "-",
    projectId: "none",
    taskGroupId: taskId,
    dependencies: [],
    requires: "all-completed",
    routes: [],
    priority: "lowest",
    retries: 5,
    created: cluster.clock.timestamp(),
    deadline: cluster.clock.timestamp(dayMs),
    expires: cluster.clock.timestamp(dayMs + 365 * dayMs),
    scopes: [],
    payload: {},
    metadata: { name: "n", description: "d", owner: "o@example.com", source: "https://example.com/" },
    tags: {},
    extra: {},
  });
});

Deno.test("createTask repeated with the same definition changes nothing, with another one it is refused", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ payload: { a: 1, b: 2 } });
  await cluster.create({ payload: { b: 2, a: 1 } }, taskId);
  assert.equal(cluster.story(taskId), "pending pending");
  const other = { params: { taskId }, body: cluster.definition({ payload: { a: 2 } }) };
  assert.equal(await cluster.refusal("queue.createTask", other), "409 RequestConflict");
});

const brokenRules: [string, (at: (ms: number) => string) => Record<string, unknown>][] = [
  ["created long ago", (at) => ({ created: at(-16 * minuteMs) })],
  ["created far ahead", (at) => ({ created: at(16 * minuteMs), deadline: at(20 * minuteMs) })],
  ["a deadline in the past", (at) => ({ created: at(-10 * minuteMs), deadline: at(-1) })],
  ["a deadline before created", (at) => ({ created: at(10 * minuteMs), deadline: at(5 * minuteMs) })],
  ["a deadline more than five days ahead", (at) => ({ deadline: at(5 * dayMs + 16 * minuteMs) })],
  ["an expiry before the deadline", (at) => ({ expires: at(minuteMs) })],
  ["no queue", () => ({ taskQueueId: undefined })],
  ["two queues", () => ({ provisionerId: "other" })],
  ["an unknown dependency", () => ({ dependencies: ["AAAAAAAAQAGAAAAAAAAAAA"] })],
];
for (const [problem, changes] of brokenRules) {
  Deno.test(`createTask refuses ${problem}`, async () => {
    await using cluster = await Cluster.start();
    const body = cluster.definition(changes((ms) => cluster.clock.timestamp(ms)));
    assert.equal(
      await cluster.refusal("queue.createTask", { params: { taskId: slugid() }, body }),
      "400 InputError",
    );
  });
}

Deno.test("createTask takes clocks that differ by a quarter of an hour", async () => {
  await using cluster = await Cluster.start();
  await cluster.create({ created: cluster.clock.timestamp(-15 * minuteMs) });
  await cluster.create({ created: cluster.clock.timestamp(15 * minuteMs) });
});

Deno.test("createTask refuses a body that does not fit its schema, naming the places", async () => {
  await using cluster = await Cluster.start();
  const body = cluster.definition({ priority: "urgent", retries: -1 });
  const { status, body: refusal } = await cluster.call<RefusalBody>("queue.createTask", {
    params: { taskId: slugid() },
    body,
  });
  assert.equal(status, 400);
  assert.equal(refusal.code, "InputValidationError");
  assert.match(refusal.message, /data\.priority/);
  assert.match(refusal.message, /data\.retries/);
  assert.equal(refusal.requestInfo.method, "createTask");
  assert.deepEqual(refusal.requestInfo.payload.priority, "urgent");
});

Deno.test("createTask lets whoever may create urgent tasks create less urgent ones, not the other way", async () => {
  await using cluster = await Cluster.start();
  const as = cluster.tc.createClient("creator", [
    "queue:create-task:medium:prov/type",
    "queue:create-task:project:none",
    "queue:scheduler-id:-",
    "queue:route:index.*",
    "given",
  ]);
  const create = (changes: Record<string, unknown>) => ({
    params: { taskId: slugid() },
    body: cluster.definition(changes),
    as,
  });
  await cluster.ok(
    "queue.createTask",
    create({ priority: "low", scopes: ["given"], routes: ["index.mine"] }),
  );
  for (const changes of [{ priority: "high" }, { scopes: ["not-given"] }, { routes: ["other"] }]) {
    assert.equal(await cluster.refusal("queue.createTask", create(changes)), "403 InsufficientScopes");
  }
});

Deno.test("a task group belongs to one scheduler, and takes no tasks once it is sealed", async () => {
  await using cluster = await Cluster.start();
  const taskGroupId = await cluster.create({ schedulerId: "mine" });
  const join = (schedulerId: string) => ({
    params: { taskId: slugid() },
    body: cluster.definition({ taskGroupId, schedulerId }),
  });
  assert.equal(await cluster.refusal("queue.createTask", join("other")), "409 RequestConflict");
  await cluster.ok("queue.createTask", join("mine"));
  const { sealed } = await cluster.ok("queue.sealTaskGroup", { params: { taskGroupId } });
  assert.equal(sealed, cluster.clock.timestamp());
  await cluster.clock.advance(1000);
  assert.equal((await cluster.ok("queue.sealTaskGroup", { params: { taskGroupId } })).sealed, sealed);
  assert.equal(await cluster.refusal("queue.createTask", join("mine")), "409 RequestConflict");
});

Deno.test("a task waits until all its dependencies are completed", async () => {
  await using cluster = await Cluster.start();
  const first = await cluster.create();
  const second = await cluster.create();
  const after = await cluster.create({ dependencies: [first, second] });
  const [one, two] = await cluster.claim(2);
  assert.ok(one && two);
  await cluster.ok("queue.reportCompleted", { params: one.run, as: one.as });
  assert.equal(cluster.story(after), "unscheduled");
  await cluster.ok("queue.reportCompleted", { params: two.run, as: two.as });
  assert.equal(cluster.story(after), "pending pending");
});

Deno.test("a failed dependency schedules those that wait for its end, not those that wait for its success", async () => {
  await using cluster = await Cluster.start();
  const first = await cluster.create();
  const onSuccess = await cluster.create({ dependencies: [first] });
  const onEnd = await cluster.create({ dependencies: [first], requires: "all-resolved" });
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportFailed", { params: run, as });
  assert.equal(cluster.story(onSuccess), "unscheduled");
  assert.equal(cluster.story(onEnd), "pending pending");
  await cluster.ok("queue.scheduleTask", { params: { taskId: onSuccess } });
  assert.equal(cluster.story(onSuccess), "pending pending");
});

Deno.test("a task whose dependencies are completed already is scheduled at once", async () => {
  await using cluster = await Cluster.start();
  const first = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportCompleted", { params: run, as });
  assert.equal(cluster.story(await cluster.create({ dependencies: [first] })), "pending pending");
});

Deno.test("a retried run does not release the tasks that wait for its task", async () => {
  await using cluster = await Cluster.start();
  const first = await cluster.create();
  const after = await cluster.create({ dependencies: [first], requires: "all-resolved" });
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportException", { params: run, as, body: { reason: "worker-shutdown" } });
  assert.equal(cluster.story(first), "exception/worker-shutdown pending pending");
  assert.equal(cluster.story(after), "unscheduled");
});

const exceptionStories: [string, string][] = [
  ["worker-shutdown", "exception/worker-shutdown pending pending"],
  ["intermittent-task", "exception/intermittent-task pending pending"],
  ["malformed-payload", "exception/malformed-payload exception"],
  ["resource-unavailable", "exception/resource-unavailable exception"],
  ["internal-error", "exception/internal-error exception"],
];
for (const [reason, story] of exceptionStories) {
  Deno.test(`reportException with ${reason} leads to: ${story}`, async () => {
    await using cluster = await Cluster.start();
    const taskId = await cluster.create();
    const { run, as } = await cluster.claimOne();
    await cluster.ok("queue.reportException", { params: run, as, body: { reason } });
    assert.equal(cluster.story(taskId), story);
  });
}

Deno.test("K19: reportException refuses an empty reason", async () => {
  await using cluster = await Cluster.start();
  await cluster.create();
  const { run, as } = await cluster.claimOne();
  const call = { params: run, as, body: { reason: "" } };
  assert.equal(await cluster.refusal("queue.reportException", call), "400 InputValidationError");
});

Deno.test("reasons for a retry resolve the task once no retries are left", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ retries: 0 });
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportException", { params: run, as, body: { reason: "worker-shutdown" } });
  assert.equal(cluster.story(taskId), "exception/worker-shutdown exception");
});

Deno.test("reports may be repeated, but not contradicted", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportCompleted", { params: run, as });
  await cluster.ok("queue.reportCompleted", { params: run, as });
  assert.equal(await cluster.refusal("queue.reportFailed", { params: run, as }), "409 RequestConflict");
  assert.equal(await cluster.refusal("queue.reclaimTask", { params: run, as }), "409 RequestConflict");
  assert.equal(cluster.story(taskId), "completed/completed completed");
});

Deno.test("cancelTask ends a running task, and its worker hears of it from reclaims and reports", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.cancelTask", { params: { taskId } });
  await cluster.ok("queue.cancelTask", { params: { taskId } });
  assert.equal(cluster.story(taskId), "exception/canceled exception");
  for (const entry of ["queue.reclaimTask", "queue.reportCompleted", "queue.reportFailed"]) {
    assert.equal(await cluster.refusal(entry, { params: run, as }), "409 RequestConflict");
  }
});

Deno.test("cancelTask leaves a completed task as it is", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportCompleted", { params: run, as });
  await cluster.ok("queue.cancelTask", { params: { taskId } });
  assert.equal(cluster.story(taskId), "completed/completed completed");
});

Deno.test("rerunTask adds a run and restores the retries; not after the deadline", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ retries: 1 });
  const shutDown = await cluster.claimOne();
  await cluster.ok("queue.reportException", {
    params: shutDown.run,
    as: shutDown.as,
    body: { reason: "worker-shutdown" },
  });
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportFailed", { params: run, as });
  const { status } = await cluster.ok<StatusBody>("queue.rerunTask", { params: { taskId } });
  assert.equal(status.retriesLeft, 1);
  assert.equal(status.runs[2]?.reasonCreated, "rerun");
  await cluster.clock.advance(60 * minuteMs);
  assert.equal(await cluster.refusal("queue.rerunTask", { params: { taskId } }), "409 RequestConflict");
});

Deno.test("a rerun task still has its deadline", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportFailed", { params: run, as });
  await cluster.ok("queue.rerunTask", { params: { taskId } });
  await cluster.clock.advance(61 * minuteMs);
  assert.equal(cluster.story(taskId), "failed/failed exception/deadline-exceeded exception");
});

Deno.test("cancelTaskGroup cancels what is not resolved, and says what that was", async () => {
  await using cluster = await Cluster.start();
  const done = await cluster.create();
  const { run, as } = await cluster.claimOne();
  await cluster.ok("queue.reportCompleted", { params: run, as });
  const open = await cluster.create({ taskGroupId: done });
  const answer = await cluster.ok("queue.cancelTaskGroup", { params: { taskGroupId: done } });
  assert.deepEqual(answer, { taskGroupId: done, taskGroupSize: 2, cancelledCount: 1, taskIds: [open] });
  assert.equal(cluster.story(open), "exception/canceled exception");
  assert.deepEqual(await cluster.claim(), []);
});

Deno.test("changeTaskPriority moves a waiting task before others", async () => {
  await using cluster = await Cluster.start();
  await cluster.create();
  const late = await cluster.create();
  await cluster.ok("queue.changeTaskPriority", { params: { taskId: late }, body: { newPriority: "high" } });
  assert.equal((await cluster.claimOne()).taskId, late);
  assert.equal((await cluster.ok("queue.task", { params: { taskId: late } })).priority, "high");
});

Deno.test("tasks are gone once they have expired", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create({ expires: cluster.clock.timestamp(120 * minuteMs) });
  await cluster.clock.advance(120 * minuteMs);
  assert.equal(await cluster.refusal("queue.task", { params: { taskId } }), "404 ResourceNotFound");
});

Deno.test("everybody may read tasks and their states without credentials", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  assert.equal(
    (await cluster.ok<StatusBody>("queue.status", { params: { taskId }, as: null })).status.state,
    "pending",
  );
  assert.equal(
    await cluster.refusal("queue.cancelTask", { params: { taskId }, as: null }),
    "403 InsufficientScopes",
  );
});

Deno.test("K47: the state of a task stays hidden where the role anonymous does not show it", async () => {
  await using cluster = await Cluster.start();
  const taskId = await cluster.create();
  cluster.tc.setRole("anonymous", []);
  assert.equal(
    await cluster.refusal("queue.status", { params: { taskId }, as: null }),
    "403 InsufficientScopes",
  );
});
