/** The feature: what the task's log says, and how the run ends (spec 01 §9.5, spec 02 §2.3). */

import assert from "node:assert/strict";
import { join } from "node:path";
import { stableJson } from "../../../src/base/stable_json.ts";
import { payloadValidator } from "../../../src/features/payload_validator/mod.ts";
import { TaskLog } from "../../../src/log/task_log.ts";
import { TaskException } from "../../../src/task/errors.ts";
import { defaultPayload, type Payload } from "../../../src/task/payload.ts";
import type { TaskRun } from "../../../src/task/task_run.ts";
import { full, type Json, minimal, minimalDocker, schemas } from "./payloads.ts";

const config = {
  rootURL: "https://tc.example.com",
  provisionerId: "prov",
  workerType: "linux",
  disableNativePayloads: false,
  d2gConfig: { enableD2G: false },
};

interface Ending {
  readonly log: string;
  readonly payload: Payload;
  readonly thrown: unknown;
}

/** Starts the feature for a task with this payload. */
async function start(payload: unknown, settings: Json = {}): Promise<Ending> {
  const directory = await Deno.makeTempDir();
  const log = new TaskLog({ path: join(directory, "log"), nowMs: () => 0 });
  const task = {
    taskId: "fN1SbArXTPSVFNUvaOlinQ",
    definition: { payload },
    log,
    payload: defaultPayload,
    worker: { config: { ...config, ...settings }, payloadSchema: schemas.insecurePosix },
  } as unknown as TaskRun;
  try {
    const thrown = await Promise.resolve(payloadValidator.start(task)).then(
      () => undefined,
      (error) => error,
    );
    log.close();
    return { log: await Deno.readTextFile(log.path), payload: task.payload, thrown };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function assertMalformed(thrown: unknown): asserts thrown is TaskException {
  assert.ok(thrown instanceof TaskException);
  assert.equal(thrown.reason, "malformed-payload");
}

Deno.test("payloadValidator puts a valid payload in force and says nothing", async () => {
  const { log, payload, thrown } = await start(full);
  assert.equal(thrown, undefined);
  assert.equal(log, "");
  assert.deepEqual(payload, full);
});

Deno.test("payloadValidator logs the schema, the violations and nothing else about an invalid payload", async () => {
  const { log, payload, thrown } = await start({ ...minimal, onExitStatus: { retry: [-1] } });
  assertMalformed(thrown);
  assert.equal(thrown.message, "validation of payload failed for task fN1SbArXTPSVFNUvaOlinQ");
  assert.equal(payload, defaultPayload);
  const expected = [
    "Task payload for this worker type must conform to the following jsonschema:",
    ...stableJson(schemas.insecurePosix).split("\n"),
    "TASK FAIL since the task payload is invalid. See errors:",
    "- (root): Must validate one and only one schema (oneOf)",
    "- onExitStatus.retry.0: Must be greater than or equal to 1",
  ];
  assert.equal(log, expected.map((line) => `[taskcluster:error] ${line}\n`).join(""));
});

Deno.test("payloadValidator lets no payload write a line of its own into the log", async () => {
  const { log } = await start({ ...minimal, "x\n[taskcluster 2026-01-01T00:00:00.000Z] fake": 1 });
  for (const line of log.trimEnd().split("\n")) assert.match(line, /^\[taskcluster:error\] /);
});

Deno.test("payloadValidator refuses a docker-worker payload and says what to do", async () => {
  const { log, thrown } = await start(minimalDocker);
  assertMalformed(thrown);
  assert.match(thrown.message, /^Docker worker payload detected/);
  assert.match(thrown.message, /D2G[^\n]* is not enabled on the worker pool prov\/linux/);
  assert.match(thrown.message, /https:\/\/tc\.example\.com\/worker-manager\/prov%2Flinux/);
  assert.match(thrown.message, /enableD2G/);
  assert.equal(log, "");
});

Deno.test("payloadValidator does not claim that D2G is off when it is on", async () => {
  const { thrown } = await start(minimalDocker, { d2gConfig: { enableD2G: true } });
  assertMalformed(thrown);
  assert.match(thrown.message, /this release of the worker cannot translate/);
  assert.doesNotMatch(thrown.message, /is not enabled/);
});

Deno.test("payloadValidator refuses a native payload where they are disabled, naming pool and setting", async () => {
  const { payload, thrown } = await start(minimal, { disableNativePayloads: true });
  assertMalformed(thrown);
  assert.match(thrown.message, /^Native payloads are disabled on the worker pool prov\/linux/);
  assert.match(thrown.message, /disableNativePayloads/);
  assert.equal(payload, defaultPayload);
});

Deno.test("payloadValidator checks a payload before it says that its kind is disabled", async () => {
  const { thrown, log } = await start({}, { disableNativePayloads: true });
  assertMalformed(thrown);
  assert.match(thrown.message, /^validation of payload failed/);
  assert.match(log, /- \(root\): command is required\n/);
});

Deno.test("payloadValidator is requested by every task, under its name", () => {
  assert.equal(payloadValidator.name, "Payload Validator");
  assert.equal(payloadValidator.requested({} as TaskRun), true);
});
