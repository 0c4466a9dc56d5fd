import { strict as assert } from "node:assert";
import fc from "fast-check";
import { v4 as slugid } from "slugid";
import { schemaId } from "../../../src/embedded/api_reference.ts";
import { Alarms } from "../../../src/embedded/alarms.ts";
import { LifeCycle } from "../../../src/embedded/queue/life_cycle.ts";
import { completeDefinition } from "../../../src/embedded/queue/task_definition.ts";
import { priorities, type TaskRecord } from "../../../src/embedded/queue/task_record.ts";
import { SchemaValidator } from "../../../src/embedded/schema_validator.ts";
import { ApiError } from "../../../src/embedded/service.ts";
import { ServiceClock } from "../service_clock.ts";

const minuteMs = 60_000;
const worker = { workerGroup: "g", workerId: "w" };
const taskQueueId = "prov/type";
const validator = new SchemaValidator();

/** A life cycle that is driven without any service around it. */
class Stage {
  readonly clock = new ServiceClock();
  readonly alarms = new Alarms(this.clock);
  readonly changed: TaskRecord[] = [];
  readonly lifeCycle = new LifeCycle({
    clock: this.clock,
    alarms: this.alarms,
    claimTimeoutMs: 20 * minuteMs,
    deadlineDelayMs: minuteMs,
    onChange: (record) => this.changed.push(record),
  });

  create(
    changes: { dependencies?: string[]; retries?: number; priority?: (typeof priorities)[number] } = {},
  ) {
    const taskId = slugid();
    const definition = completeDefinition(taskId, {
      taskQueueId,
      schedulerId: "-",
      projectId: "none",
      dependencies: [],
      requires: "all-completed",
      routes: [],
      priority: "lowest",
      retries: 2,
      created: this.clock.timestamp(),
      deadline: this.clock.timestamp(60 * minuteMs),
      scopes: [],
      payload: {},
      metadata: { name: "n", description: "d", owner: "o", source: "https://example.com/" },
      tags: {},
      extra: {},
      ...changes,
    }, { nowMs: this.clock.nowMs() });
    return this.lifeCycle.create(taskId, definition);
  }

  /** Does it unless the rules forbid it. */
  try(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      assert.ok(error instanceof ApiError && error.status < 500, String(error));
    }
  }

  checkEverything(): void {
    const records = [...this.lifeCycle.tasks()];
    for (const record of records) checkRecord(record);
    const waiting = this.lifeCycle.pending.list(taskQueueId).map(({ taskId, runId }) => `${taskId}/${runId}`);
    const pending = records.filter(({ state }) => state === "pending")
      .map(({ taskId, lastRun }) => `${taskId}/${lastRun?.runId}`);
    assert.deepEqual(waiting.sort(), pending.sort(), "exactly the pending runs wait for a worker");
  }
}

function checkRecord(record: TaskRecord): void {
  const problems = validator.problems(schemaId("queue", "v1/task-status.json#"), record.status());
  assert.equal(problems, undefined, problems);
  record.runs.forEach((run, i) => {
    assert.equal(run.runId, i);
    const over = run.resolved !== undefined;
    assert.equal(over, run.reasonResolved !== undefined);
    assert.equal(over, !["pending", "running"].includes(run.state));
    if (i < record.runs.length - 1) assert.ok(over, "only the last run may be open");
    if (run.state === "running") assert.ok(run.takenUntil && run.workerId && run.started);
  });
  assert.ok(record.retriesLeft >= 0);
}

type Step = { readonly kind: string; readonly pick: number; readonly minutes: number };

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "create",
      "depend",
      "claim",
      "reclaim",
      "completed",
      "failed",
      "worker-shutdown",
      "internal-error",
      "intermittent-task",
      "cancel",
      "rerun",
      "schedule",
      "prioritize",
      "wait",
    ),
    pick: fc.nat(20),
    minutes: fc.integer({ min: 1, max: 25 }),
  }),
  { maxLength: 40 },
);

async function perform(stage: Stage, { kind, pick, minutes }: Step): Promise<void> {
  const { lifeCycle } = stage;
  const records = [...lifeCycle.tasks()];
  const record = records[pick % Math.max(records.length, 1)];
  const priority = priorities[pick % priorities.length] ?? "lowest";
  if (kind === "create") return void stage.create({ priority, retries: pick % 3 });
  if (kind === "claim") return void lifeCycle.claimNext(taskQueueId, worker);
  if (kind === "wait") return await stage.clock.advance(minutes * minuteMs);
  if (!record) return;
  const runId = Math.max(0, record.runs.length - 1);
  const actions: Record<string, () => unknown> = {
    depend: () => stage.create({ dependencies: [record.taskId] }),
    reclaim: () => lifeCycle.reclaim(record, runId),
    completed: () => lifeCycle.report(record, runId, "completed"),
    failed: () => lifeCycle.report(record, runId, "failed"),
    "worker-shutdown": () => lifeCycle.report(record, runId, "worker-shutdown"),
    "internal-error": () => lifeCycle.report(record, runId, "internal-error"),
    "intermittent-task": () => lifeCycle.report(record, runId, "intermittent-task"),
    cancel: () => lifeCycle.cancel(record),
    rerun: () => lifeCycle.rerun(record),
    schedule: () => lifeCycle.schedule(record),
    prioritize: () => lifeCycle.changePriority(record, priority),
  };
  stage.try(actions[kind] ?? assert.fail(kind));
}

Deno.test("LifeCycle keeps its rules whatever happens in whatever order, and resolves everything in the end", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const stage = new Stage();
      for (const step of plan) {
        await perform(stage, step);
        stage.checkEverything();
      }
      await stage.clock.advance(62 * minuteMs);
      stage.checkEverything();
      for (const record of stage.lifeCycle.tasks()) assert.ok(record.resolved, record.state);
      assert.equal(stage.clock.sleeping, 0, "no alarm is left");
    }),
    { numRuns: 200 },
  );
});

Deno.test("LifeCycle tells of every change of a task once it is made", () => {
  const stage = new Stage();
  const record = stage.create();
  stage.lifeCycle.claimNext(taskQueueId, worker);
  stage.lifeCycle.report(record, 0, "completed");
  assert.deepEqual(stage.changed, [record, record, record]);
  stage.lifeCycle.report(record, 0, "completed");
  assert.equal(stage.changed.length, 3, "a repeated report changes nothing");
  stage.alarms.stop();
});

Deno.test("LifeCycle does not hand out runs after their deadline, though they are not resolved yet", async () => {
  const stage = new Stage();
  stage.create();
  await stage.clock.advance(60 * minuteMs);
  assert.equal(stage.lifeCycle.claimNext(taskQueueId, worker), undefined);
  stage.alarms.stop();
});

Deno.test("a task that depends on itself waits until it is scheduled by hand", () => {
  const stage = new Stage();
  const taskId = slugid();
  const { created } = stage.create();
  const record = stage.lifeCycle.create(taskId, { ...created, taskGroupId: taskId, dependencies: [taskId] });
  assert.equal(record.state, "unscheduled");
  stage.lifeCycle.schedule(record);
  assert.equal(record.state, "pending");
  stage.alarms.stop();
});
