import assert from "node:assert/strict";
import type { Config } from "../../../src/config/config.ts";
import { resourceMonitor } from "../../../src/features/resource_monitor/mod.ts";
import type { MemoryFacts, Platform, SpawnedProcess } from "../../../src/platform/platform.ts";
import { TaskFailure } from "../../../src/task/errors.ts";
import type { ResultLine, TaskRun } from "../../../src/task/task_run.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type FakeTaskRun, type TaskRunSetup, withTaskRun } from "../../support/fake_task_run.ts";

const mib = 1024 ** 2;
const gib = 1024 ** 3;
const totalBytes = 16 * gib;
/** 97 % used, 400 MiB left: beyond both default limits. */
const short: MemoryFacts = { totalBytes, availableBytes: 400 * mib };
const plenty: MemoryFacts = { totalBytes, availableBytes: 8 * gib };

interface Situation {
  readonly config?: Partial<Config>;
  /** One sample after another, the last for ever; "broken" throws. */
  readonly samples?: readonly (MemoryFacts | "broken")[];
  readonly ownBytes?: number;
  readonly setup?: TaskRunSetup;
}

interface Monitored {
  readonly task: TaskRun;
  readonly clock: FakeClock;
  readonly run: FakeTaskRun;
  /** Starts a command; what it gives ends it. */
  command(): () => readonly ResultLine[];
  setSamples(samples: readonly (MemoryFacts | "broken")[]): void;
  /** Warnings of the task's log without their time. */
  warnings(): string[];
}

function monitored(situation: Situation, use: (monitored: Monitored) => Promise<void>): Promise<void> {
  return withTaskRun(situation.setup ?? {}, async (run) => {
    const clock = new FakeClock();
    let left = [...(situation.samples ?? [plenty])];
    const memory = (): MemoryFacts => {
      const sample = left.length > 1 ? left.shift() : left[0];
      if (sample === undefined || sample === "broken") throw new Error("No figures");
      return sample;
    };
    const platform: Platform = {
      ...run.task.worker.platform,
      memory,
      groupMemoryBytes: () => situation.ownBytes ?? 0,
    };
    const config = { ...run.task.worker.config, ...situation.config };
    const task: TaskRun = Object.assign(Object.create(run.task), {
      worker: { ...run.task.worker, clock, platform, config },
    });
    await resourceMonitor.start(task);
    await use({
      task,
      clock,
      run,
      command: () => {
        const ends = task.commandWatchers.map((watch) => watch(fakeProcess));
        return () => ends.flatMap((end) => end());
      },
      setSamples: (samples) => left = [...samples],
      warnings: () =>
        Array.from(run.taskLog().matchAll(/^\[taskcluster:warn [^\]]+\] (.*)$/gm), ([, text]) => text!),
    });
    assert.equal(clock.sleeping, 0, "a monitor goes on after its command");
  });
}

const fakeProcess: SpawnedProcess = {
  pid: 4_000_000,
  exited: new Promise(() => {}),
  signalGroup: () => {},
};

Deno.test("the resource monitor reports mean, peak and total of a sample every half second", () =>
  monitored({
    samples: [
      { totalBytes, availableBytes: 12 * gib },
      { totalBytes, availableBytes: 4 * gib },
      { totalBytes, availableBytes: 8 * gib },
      { totalBytes, availableBytes: 1 },
    ],
  }, async ({ clock, command, task }) => {
    const end = command();
    await clock.advance(1_999);
    assert.deepEqual(end(), [
      ["Average Available System Memory", "8.00 GiB"],
      ["Average System Memory Used", "8.00 GiB"],
      ["Peak System Memory Used", "12.00 GiB"],
      ["Total System Memory", "16.00 GiB"],
    ]);
    await clock.advance(10_000);
    assert.equal(task.abortCause, undefined);
  }));

Deno.test("the resource monitor takes no sample in a command shorter than half a second", () =>
  monitored({}, async ({ clock, command }) => {
    const end = command();
    await clock.advance(499);
    assert.deepEqual(end(), []);
    await clock.advance(1_000);
  }));

Deno.test("the resource monitor counts each command for itself", () =>
  monitored({ samples: [short, plenty] }, async ({ clock, command }) => {
    const first = command();
    await clock.advance(500);
    assert.equal(first()[2]?.[1], "15.61 GiB");
    const second = command();
    await clock.advance(500);
    assert.equal(second()[2]?.[1], "8.00 GiB");
    await clock.advance(0);
  }));

Deno.test("the resource monitor skips samples that fail", () =>
  monitored(
    { samples: ["broken", { totalBytes: 2048, availableBytes: 512 }, "broken"] },
    async ({ clock, command }) => {
      const end = command();
      await clock.advance(1_500);
      // Whole bytes below one KiB (weakness 02 §12.30).
      assert.deepEqual(end().map(([, value]) => value), ["512 B", "1.50 KiB", "1.50 KiB", "2.00 KiB"]);
      await clock.advance(0);
    },
  ));

Deno.test("the resource monitor ends a task once memory was short for longer than allowed", () =>
  monitored({ samples: [short] }, async ({ clock, command, task, warnings }) => {
    const end = command();
    // The first sample is at 0.5 s; at 5.5 s the shortage has lasted 5 s, which is not longer than allowed.
    await clock.advance(5_500);
    assert.equal(task.signal.aborted, false);
    assert.deepEqual(warnings(), []);
    await clock.advance(500);
    assert(task.abortCause instanceof TaskFailure);
    assert.equal(
      task.abortCause.message,
      "task aborted due to sustained memory usage above 90% and available memory less than 500.00 MiB",
    );
    assert.deepEqual(warnings(), [
      "Memory usage above 90% and available memory less than 500.00 MiB persisted for over 5s!",
    ]);
    // Usage is reported for the aborted command as well.
    await clock.advance(2_000);
    assert.equal(end().length, 4);
    assert.equal(warnings().length, 1);
    await clock.advance(0);
  }));

Deno.test("the resource monitor starts counting anew after one sample within the limits", () =>
  monitored({ samples: [...Array(10).fill(short), plenty, short] }, async ({ clock, command, task }) => {
    const end = command();
    await clock.advance(11_000);
    assert.equal(task.signal.aborted, false);
    await clock.advance(500);
    assert.equal(task.signal.aborted, true);
    end();
    await clock.advance(0);
  }));

Deno.test("the resource monitor acts only when both limits are passed", async () => {
  const onlyPercent = { totalBytes: 64 * gib, availableBytes: 600 * mib };
  const onlyBytes = { totalBytes: 1 * gib, availableBytes: 400 * mib };
  for (const sample of [onlyPercent, onlyBytes]) {
    await monitored({ samples: [sample] }, async ({ clock, command, task }) => {
      const end = command();
      await clock.advance(60_000);
      assert.equal(task.signal.aborted, false);
      end();
      await clock.advance(0);
    });
  }
});

Deno.test("the resource monitor names the configured limits", () =>
  monitored({
    config: {
      maxMemoryUsagePercent: 50,
      minAvailableMemoryBytes: 9 * gib,
      allowedHighMemoryDurationSecs: 90,
    },
    samples: [{ totalBytes, availableBytes: 7 * gib }],
  }, async ({ clock, command, task, warnings }) => {
    const end = command();
    await clock.advance(91_000);
    assert.match(task.abortCause?.message ?? "", /above 50% and available memory less than 9\.00 GiB$/);
    assert.match(warnings()[0] ?? "", /persisted for over 1m30s!$/);
    end();
    await clock.advance(0);
  }));

Deno.test("disableOOMProtection leaves the task alone and warns once per shortage", () =>
  monitored({ config: { disableOOMProtection: true }, samples: [short] }, async (monitor) => {
    const { clock, command, task, warnings, setSamples } = monitor;
    const end = command();
    await clock.advance(30_000);
    assert.equal(task.signal.aborted, false);
    const twoWarnings = [
      "Memory usage above 90% and available memory less than 500.00 MiB persisted for over 5s!",
      "OOM protections are disabled, continuing task...",
    ];
    assert.deepEqual(warnings(), twoWarnings);
    setSamples([plenty, short]);
    await clock.advance(30_000);
    assert.deepEqual(warnings(), [...twoWarnings, ...twoWarnings]);
    end();
    await clock.advance(0);
  }));

Deno.test("a small task beside the one that eats the memory goes on (weakness 02 §12.30)", () =>
  monitored({ config: { capacity: 4 }, samples: [short], ownBytes: 100 * mib }, async (monitor) => {
    const { clock, command, task, warnings } = monitor;
    const end = command();
    await clock.advance(60_000);
    assert.equal(task.signal.aborted, false);
    assert.deepEqual(warnings().slice(1), [
      "This command uses only 100.00 MiB of it, continuing task...",
    ]);
    end();
    await clock.advance(0);
  }));

Deno.test("a task that holds its share of the short memory ends, whatever the capacity", async () => {
  for (const [capacity, ownBytes] of [[4, 2 * gib], [4, 15 * gib], [1, 0]] as const) {
    await monitored(
      { config: { capacity }, samples: [short], ownBytes },
      async ({ clock, command, task }) => {
        const end = command();
        await clock.advance(6_000);
        assert.equal(task.signal.aborted, true);
        end();
        await clock.advance(0);
      },
    );
  }
});

Deno.test("K6: a pool without the resource monitor refuses only tasks that ask for it by name", async () => {
  const requested = (situation: Situation) => {
    let result: [boolean, string | undefined] = [false, undefined];
    return monitored(situation, ({ task }) => {
      result = [resourceMonitor.requested(task), resourceMonitor.disabled?.(task.worker)];
      return Promise.resolve();
    }).then(() => result);
  };
  const off = { enableResourceMonitor: false };
  assert.deepEqual(await requested({}), [true, undefined]);
  assert.equal((await requested({ config: off }))[0], false);
  const optedOut: TaskRunSetup = { payload: { features: { resourceMonitor: false } } };
  assert.equal((await requested({ setup: optedOut }))[0], false);
  assert.equal((await requested({ config: off, setup: optedOut }))[0], false);
  await monitored({ config: off }, ({ task }) => {
    const payload = { features: { resourceMonitor: true } };
    const asking = Object.assign(Object.create(task), { definition: { ...task.definition, payload } });
    assert.equal(resourceMonitor.requested(asking), true);
    assert.match(resourceMonitor.disabled?.(task.worker) ?? "", /"Resource Monitor", which is not enabled/);
    return Promise.resolve();
  });
});
