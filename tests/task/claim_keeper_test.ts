/** The claim of a run is kept in time, given up for good reason only, and resolved once. */

import assert from "node:assert/strict";
import { silentWorkerLog } from "../../src/log/worker_log.ts";
import { ServiceError } from "../../src/services/errors.ts";
import type { Queue } from "../../src/services/queue.ts";
import type { ReclaimResponse, RunStatus, TaskClaim } from "../../src/services/queue_types.ts";
import { ClaimKeeper } from "../../src/task/claim_keeper.ts";
import { RunLost, TaskException, TaskFailure } from "../../src/task/errors.ts";
import { FakeClock } from "../support/fake_clock.ts";

const minuteMs = 60_000;
const taskId = "VbNXuVOFRGOhvDJEXVQRaA";

/** A queue made of functions; what a test does not give must not be called. */
class ScriptedQueue {
  readonly calls: string[] = [];
  reclaim: () => Promise<ReclaimResponse> | ReclaimResponse = () => this.#unexpected("reclaim");
  run: () => RunStatus = () => running;
  report: () => void = () => {};

  reclaimTask() {
    this.calls.push("reclaim");
    return Promise.resolve().then(() => this.reclaim());
  }
  status() {
    this.calls.push("status");
    return Promise.resolve().then(() => ({ runs: [this.run()] }));
  }
  reportCompleted() {
    return this.#report("completed");
  }
  reportFailed() {
    return this.#report("failed");
  }
  reportException(_credentials: unknown, _run: unknown, reason: string) {
    return this.#report(`exception/${reason}`);
  }
  #report(call: string) {
    this.calls.push(call);
    return Promise.resolve().then(() => this.report());
  }
  #unexpected(call: string): never {
    throw new Error(`unexpected call of ${call}`);
  }
}

const running: RunStatus = { runId: 0, state: "running", reasonCreated: "scheduled" };

interface Setup {
  claimMs?: number;
  deadlineMs?: number;
  skewMs?: number;
}

function setUp({ claimMs = 20 * minuteMs, deadlineMs = 24 * 60 * minuteMs, skewMs = 0 }: Setup = {}) {
  const clock = new FakeClock();
  const queue = new ScriptedQueue();
  const lost: RunLost[] = [];
  const serverNowMs = () => clock.nowMs() + skewMs;
  const iso = (inMs: number) => new Date(serverNowMs() + inMs).toISOString();
  const claim = {
    status: { taskId },
    runId: 0,
    takenUntil: iso(claimMs),
    task: { deadline: iso(deadlineMs) },
    credentials: { clientId: "task", accessToken: "first" },
  } as unknown as TaskClaim;
  queue.reclaim = () => ({
    takenUntil: iso(claimMs),
    credentials: { clientId: "task", accessToken: `at ${clock.nowMs()}` },
  } as unknown as ReclaimResponse);
  const keeper = new ClaimKeeper({
    claim,
    queue: queue as unknown as Queue,
    clock,
    log: silentWorkerLog,
    skewMs: () => skewMs,
    onLost: (cause) => lost.push(cause),
  });
  keeper.start();
  return { clock, queue, keeper, lost };
}

function refused(status: number): ServiceError {
  return new ServiceError({ call: "queue.reclaimTask", status, explanation: "no", attempts: 1 });
}

const count = (calls: readonly string[], call: string) => calls.filter((one) => one === call).length;

Deno.test("claim keeper reclaims five minutes before a claim of twenty ends, again and again", async () => {
  const { clock, queue, keeper } = setUp();
  await clock.advance(15 * minuteMs - 1);
  assert.equal(count(queue.calls, "reclaim"), 0);
  await clock.advance(1);
  assert.equal(count(queue.calls, "reclaim"), 1);
  assert.match(keeper.credentials.accessToken.reveal(), /^at /);
  await clock.advance(15 * minuteMs);
  assert.equal(count(queue.calls, "reclaim"), 2);
  await keeper.resolve(undefined);
});

Deno.test("claim keeper reclaims a claim of two minutes at its half (K7)", async () => {
  const { clock, queue, keeper } = setUp({ claimMs: 2 * minuteMs });
  await clock.advance(10 * minuteMs);
  assert.equal(count(queue.calls, "reclaim"), 10);
  await keeper.resolve(undefined);
});

Deno.test("claim keeper goes by the deployment's clock, not ours (K7)", async () => {
  for (const skewMs of [-2 * 60 * minuteMs, 2 * 60 * minuteMs]) {
    const { clock, queue, keeper, lost } = setUp({ skewMs });
    await clock.advance(14 * minuteMs);
    assert.equal(count(queue.calls, "reclaim"), 0, `skew ${skewMs}`);
    await clock.advance(minuteMs);
    assert.equal(count(queue.calls, "reclaim"), 1, `skew ${skewMs}`);
    assert.equal(lost.length, 0);
    await keeper.resolve(undefined);
  }
});

Deno.test("claim keeper keeps trying through an outage until the claim has really ended (K7)", async () => {
  const { clock, queue, keeper, lost } = setUp();
  const good = queue.reclaim;
  queue.reclaim = () => {
    throw refused(0);
  };
  await clock.advance(19 * minuteMs);
  assert.equal(lost.length, 0);
  queue.reclaim = good;
  await clock.advance(minuteMs);
  assert.equal(lost.length, 0);
  queue.reclaim = () => {
    throw refused(503);
  };
  await clock.advance(21 * minuteMs);
  assert.equal(lost.length, 1);
  assert.match(lost[0]!.message, /claim of the run has ended/);
  assert.equal(keeper.claimGone.aborted, true);
  await keeper.resolve(undefined);
  assert.equal(count(queue.calls, "completed"), 0);
});

Deno.test("claim keeper notices a cancelled run within a minute (K20)", async () => {
  const { clock, queue, keeper, lost } = setUp();
  await clock.advance(2 * minuteMs);
  queue.run = () => ({ ...running, state: "exception", reasonResolved: "canceled" });
  await clock.advance(minuteMs);
  assert.equal(lost[0]?.message, "The task was cancelled");
  assert.equal(keeper.claimGone.aborted, false, "logs of a cancelled run can still be published");
  await keeper.resolve(new TaskFailure("task was aborted"));
  assert.deepEqual(queue.calls.filter((call) => call !== "status"), [], "a lost run is not reported");
});

Deno.test("claim keeper ends the run at its deadline and reports nothing (K41)", async () => {
  const { clock, queue, keeper, lost } = setUp({ deadlineMs: 7 * minuteMs });
  await clock.advance(7 * minuteMs);
  assert.equal(lost[0]?.message, "The deadline of the task has passed");
  await keeper.resolve(new TaskFailure("task was aborted"));
  assert.equal(count(queue.calls, "failed"), 0);
});

Deno.test("claim keeper takes a 409 of a reclaim for the deadline when that has passed (K41)", async () => {
  const { clock, queue, keeper, lost } = setUp();
  queue.reclaim = () => {
    throw refused(409);
  };
  queue.run = () => ({ ...running, state: "exception", reasonResolved: "deadline-exceeded" });
  await clock.advance(15 * minuteMs);
  assert.equal(lost[0]?.message, "The deadline of the task has passed");
  await keeper.resolve(undefined);
});

Deno.test("claim keeper reports although the status can't be seen (K47)", async () => {
  const { clock, queue, keeper, lost } = setUp();
  queue.run = () => {
    throw refused(403);
  };
  await clock.advance(10 * minuteMs);
  assert.equal(count(queue.calls, "status"), 1, "it does not ask again what it may not know");
  assert.equal(lost.length, 0);
  await keeper.resolve(undefined);
  assert.equal(count(queue.calls, "completed"), 1);
});

Deno.test("claim keeper resolves exactly once, with what the first problem asks for", async () => {
  const cases = [
    { problem: undefined, call: "completed" },
    { problem: new TaskFailure("exit status 1"), call: "failed" },
    { problem: new TaskException("malformed-payload", "no"), call: "exception/malformed-payload" },
    { problem: new TaskException("intermittent-task", "no"), call: "exception/intermittent-task" },
  ];
  for (const { problem, call } of cases) {
    const { queue, keeper } = setUp();
    await Promise.all([
      keeper.resolve(problem),
      keeper.resolve(new TaskFailure("late")),
      keeper.resolve(undefined),
    ]);
    assert.deepEqual(queue.calls, [call]);
  }
});

Deno.test("claim keeper survives a queue that refuses the report", async () => {
  const { queue, keeper } = setUp();
  queue.report = () => {
    throw refused(409);
  };
  await keeper.resolve(undefined);
  assert.deepEqual(queue.calls, ["completed", "status"]);
});

Deno.test("claim keeper stops all its waiting once resolved (K13)", async () => {
  const { clock, keeper } = setUp();
  await clock.advance(minuteMs);
  await keeper.resolve(undefined);
  assert.equal(clock.sleeping, 0);
});

Deno.test("claim keeper passes new credentials on until told to stop", async () => {
  const { clock, keeper } = setUp();
  const seen: string[] = [];
  const stop = keeper.onCredentials((credentials) => seen.push(credentials.accessToken.reveal()));
  await clock.advance(15 * minuteMs);
  assert.equal(seen.length, 1);
  stop();
  await clock.advance(15 * minuteMs);
  assert.equal(seen.length, 1);
  await keeper.resolve(undefined);
});
