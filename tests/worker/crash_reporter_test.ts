/** A bug in the worker reaches everyone who should know, and costs nobody else anything. */

import assert from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import type { Config } from "../../src/config/config.ts";
import { Secret } from "../../src/base/secret.ts";
import { startEmbeddedTaskcluster } from "../../src/embedded/mod.ts";
import { createWorkerLog } from "../../src/log/worker_log.ts";
import { ServiceClient } from "../../src/services/client.ts";
import { CrashReporter } from "../../src/worker/crash_reporter.ts";
import { WorkerCredentials } from "../../src/worker/worker_credentials.ts";

interface Scene {
  readonly reporter: CrashReporter;
  readonly lines: string[];
  readonly reported: { description: string; extra: Readonly<Record<string, string>> }[];
}

async function withReporter(
  setup: { sentryUrl?: string; sentryProject: string },
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { sentryUrl, sentryProject } = setup;
  const taskcluster = await startEmbeddedTaskcluster(sentryUrl ? { settings: { sentryUrl } } : {});
  const { clientId, accessToken } = taskcluster.credentials;
  const config = {
    clientId,
    accessToken,
    certificate: new Secret(""),
    sentryProject,
    workerId: "w1",
  } as Config;
  const lines: string[] = [];
  const reported: Scene["reported"] = [];
  const reporter = new CrashReporter({
    config,
    clock: systemClock,
    arch: "amd64",
    build: { engine: "insecure", os: "linux", version: "1.2.3", revision: undefined },
    log: createWorkerLog((line) => lines.push(line)),
    client: new ServiceClient({ rootUrl: taskcluster.rootUrl }),
    credentials: new WorkerCredentials(config),
    supervisor: {
      serve() {},
      reportError: (description, extra) => reported.push({ description, extra }),
      shutdown: () => false,
    },
  });
  try {
    await use({ reporter, lines, reported });
  } finally {
    await taskcluster.stop();
  }
}

Deno.test("K8: a crash reaches the worker log, worker-runner and Sentry, with stack and facts", async () => {
  const bodies: string[] = [];
  const paths: string[] = [];
  const sentry = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    paths.push(`${new URL(request.url).pathname} ${request.headers.get("x-sentry-auth")?.split(",")[0]}`);
    bodies.push(await request.text());
    return Response.json({});
  });
  const sentryUrl = `http://127.0.0.1:${sentry.addr.port}`;
  try {
    await withReporter(
      { sentryUrl, sentryProject: "generic-worker" },
      async ({ reporter, lines, reported }) => {
        reporter.crashed("task abc", new TypeError("x is not a function"));
        await reporter.settled();
        assert.match(
          lines[0]!,
          /ERROR: PANIC in task abc\n.*PANIC occurred!.*\nTypeError: x is not a function\n/s,
        );
        assert.equal(reported[0]?.extra["workerId"], "w1");
        assert.match(paths[0]!, /\/api\/[^/]+\/envelope\/ Sentry sentry_version=7$/);
        const [header, item, event] = bodies[0]!.trim().split("\n").map((line) => JSON.parse(line));
        assert.equal(header.event_id, event.event_id);
        assert.deepEqual(item, { type: "event" });
        assert.equal(event.tags.gwVersion, "1.2.3");
        const [exception] = event.exception.values;
        assert.deepEqual([exception.type, exception.value], ["TypeError", "x is not a function"]);
        assert.match(exception.stacktrace.frames.at(-1).filename, /crash_reporter_test\.ts$/);
      },
    );
  } finally {
    await sentry.shutdown();
  }
});

Deno.test("a crash that Sentry can't be told of is only a warning", async () => {
  await withReporter({ sentryProject: "generic-worker" }, async ({ reporter, lines }) => {
    reporter.crashed("the worker", new Error("boom"));
    await reporter.settled();
    assert.match(lines.at(-1)!, /WARNING: Could not report the crash to Sentry: auth\.sentryDSN: HTTP 404/);
  });
});

Deno.test("an empty sentryProject keeps crashes at home", async () => {
  await withReporter({ sentryProject: "" }, async ({ reporter, lines }) => {
    reporter.crashed("the worker", "not even an error");
    await reporter.settled();
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /not even an error/);
  });
});
