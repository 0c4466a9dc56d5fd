/** Features start in order, stop in reverse, and nothing that one of them does stops another from stopping. */

import assert from "node:assert/strict";
import { RunLost, TaskException, TaskFailure } from "../../src/task/errors.ts";
import type { Feature } from "../../src/task/feature.ts";
import { runPipeline } from "../../src/task/pipeline.ts";
import type { TaskRun } from "../../src/task/task_run.ts";
import { withTaskRun } from "../support/fake_task_run.ts";

function runAll(task: TaskRun, features: readonly Feature[]): Promise<void> {
  return runPipeline(task, features, { onStopping() {} });
}

/** A feature that notes what happens to it. */
function feature(name: string, notes: string[], more: Partial<Feature> = {}): Feature {
  return {
    name,
    requested: () => true,
    start() {
      notes.push(`+${name}`);
      return Promise.resolve(() => void notes.push(`-${name}`));
    },
    ...more,
  };
}

Deno.test("a pipeline starts features in order and undoes them in reverse", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const off = feature("c", notes, { requested: () => false });
    await runAll(task, [feature("a", notes), feature("b", notes), off, feature("d", notes)]);
    assert.deepEqual(notes, ["+a", "+b", "+d", "-d", "-b", "-a"]);
    assert.equal(task.outcome.succeeded, true);
  });
});

Deno.test("a pipeline starts nothing after a problem, and undoes what had started", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const failing = feature("b", notes, {
      start: () => Promise.reject(new TaskException("malformed-payload", "no")),
    });
    await runAll(task, [feature("a", notes), failing, feature("c", notes)]);
    assert.deepEqual(notes, ["+a", "-a"]);
    assert.equal(task.outcome.first?.message, "no");
  });
});

Deno.test("a pipeline stops every feature, whatever the others do while stopping; the first problem decides", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const stopping = (name: string, error: unknown) =>
      feature(name, notes, { start: () => Promise.resolve(() => Promise.reject(error)) });
    await runAll(task, [
      feature("a", notes),
      stopping("b", new TaskFailure("second")),
      feature("c", notes),
      stopping("d", new TaskFailure("first")),
    ]);
    assert.deepEqual(notes, ["+a", "+c", "-c", "-a"]);
    assert.deepEqual(task.outcome.problems.map(({ message }) => message), ["first", "second"]);
  });
});

Deno.test("K8, K49: a bug in a feature is internal-error of this run, reported, and known before the log ends", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const log = feature("log", notes, {
      start: () => Promise.resolve((outcome) => void notes.push(`log ends with ${outcome.first?.message}`)),
    });
    const buggy = feature("buggy", notes, { start: () => Promise.reject(new TypeError("x is undefined")) });
    await runAll(task, [log, buggy]);
    assert.ok(task.outcome.first instanceof TaskException);
    assert.equal(task.outcome.first.reason, "internal-error");
    assert.match(notes[0]!, /log ends with .*x is undefined/);
  });
});

Deno.test("K11: an abort before a feature keeps it from starting", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const aborting = feature("a", notes, {
      start() {
        task.abort(new RunLost("The task was cancelled"));
        return Promise.resolve(() => void notes.push("-a"));
      },
    });
    await runAll(task, [aborting, feature("b", notes)]);
    assert.deepEqual(notes, ["-a"]);
    assert.ok(task.outcome.first instanceof RunLost);
  });
});

Deno.test("a disabled feature that is asked for makes the payload malformed, in its own words", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    await runAll(task, [feature("a", notes, { disabled: () => "not on this pool" }), feature("b", notes)]);
    assert.deepEqual(notes, []);
    assert.equal(task.outcome.first?.message, "not on this pool");
  });
});

Deno.test("missing scopes are told with what is required and what is there, in the layout people know", async () => {
  await withTaskRun({}, async ({ task }) => {
    task.scopes = ["a:*", "b"];
    const notes: string[] = [];
    await runAll(task, [
      feature("held", notes, { requiredScopes: () => [["nothing"], ["a:x", "b"]] }),
      feature("OS Groups", notes, { requiredScopes: () => [["c", "d"], ["e"]] }),
    ]);
    assert.deepEqual(notes, ["+held", "-held"]);
    assert.match(
      task.outcome.first?.message ?? "",
      /^Feature "OS Groups" requires scopes:\n\n\(c and d\), or\ne\n\nbut task only has scopes:\n\na:\* and b\n\n/,
    );
  });
});

Deno.test("two features that want one artifact name make the payload malformed", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const name = () => ["public/log"];
    await runAll(task, [
      feature("Backing Log", notes, { publisherName: "Backing log", reservedArtifacts: name }),
      feature("Live Log", notes, { reservedArtifacts: name }),
    ]);
    assert.equal(
      task.outcome.first?.message,
      'Feature "Live Log" wishes to publish artifact public/log but feature Backing log has already reserved this ' +
        "artifact name",
    );
  });
});

Deno.test("K26: a name is reserved only as long as the payload gives it", async () => {
  await withTaskRun({}, async ({ task }) => {
    const notes: string[] = [];
    const log = feature("Backing Log", notes, { reservedArtifacts: (run) => [run.payload.logs.backing] });
    const validator = feature("Payload Validator", notes, {
      start() {
        task.payload = { ...task.payload, logs: { live: "live", backing: "mine" } };
        return Promise.resolve();
      },
    });
    const reserved: string[] = [];
    const last = feature("last", notes, {
      start: () => Promise.resolve(void reserved.push(...task.reservedArtifacts.keys())),
    });
    await runAll(task, [log, validator, last]);
    assert.deepEqual(reserved, ["mine"]);
  });
});
