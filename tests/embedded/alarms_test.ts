import { strict as assert } from "node:assert";
import { Alarms } from "../../src/embedded/alarms.ts";
import { dayMs, ServiceClock } from "./service_clock.ts";

Deno.test("Alarms go off at their time, in order, and not when taken back", async () => {
  const clock = new ServiceClock();
  const alarms = new Alarms(clock);
  const rung: string[] = [];
  const set = (name: string, afterMs: number) => alarms.set(clock.nowMs() + afterMs, () => rung.push(name));
  set("later", 20);
  set("sooner", 10);
  const takeBack = set("never", 15);
  takeBack();
  await clock.advance(9);
  assert.deepEqual(rung, []);
  await clock.advance(11);
  assert.deepEqual(rung, ["sooner", "later"]);
  assert.equal(clock.sleeping, 0);
});

Deno.test("Alarms go off at once for a time that has passed, but never inside set", async () => {
  const clock = new ServiceClock();
  const rung: string[] = [];
  new Alarms(clock).set(clock.nowMs() - 1, () => rung.push("late"));
  assert.deepEqual(rung, []);
  await clock.advance(0);
  assert.deepEqual(rung, ["late"]);
});

Deno.test("Alarms wait longer than one timer can", async () => {
  const clock = new ServiceClock();
  // A timer of the system wakes after 24.8 days at the latest.
  const short = {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (durationMs: number, signal?: AbortSignal) =>
      clock.sleep(Math.min(durationMs, 20 * dayMs), signal),
  };
  const rung: number[] = [];
  const startMs = clock.nowMs();
  new Alarms(short).set(startMs + 50 * dayMs, () => rung.push(clock.nowMs() - startMs));
  await clock.advance(100 * dayMs);
  assert.deepEqual(rung, [50 * dayMs]);
});

Deno.test("Alarms.stop takes all back", async () => {
  const clock = new ServiceClock();
  const alarms = new Alarms(clock);
  alarms.set(clock.nowMs() + 10, () => assert.fail("must not go off"));
  alarms.stop();
  await clock.advance(20);
  assert.equal(clock.sleeping, 0);
});
