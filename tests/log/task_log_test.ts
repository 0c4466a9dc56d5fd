/** The task log is the truth: every byte, in order, whatever happens. */

import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { TaskLog } from "../../src/log/task_log.ts";
import { createWorkerLog } from "../../src/log/worker_log.ts";

const nowMs = () => Date.UTC(2026, 7, 1, 10, 0, 0, 120);
const encode = (text: string) => new TextEncoder().encode(text);

function withLog(use: (log: TaskLog, read: () => string) => void): void {
  const directory = Deno.makeTempDirSync();
  const path = join(directory, "live_backing.log");
  const log = new TaskLog({ path, nowMs });
  try {
    use(log, () => Deno.readTextFileSync(path));
  } finally {
    log.close();
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a task log prefixes every line of a message, all with one timestamp", () => {
  withLog((log, read) => {
    log.info("one\ntwo");
    log.warn("careful");
    log.error("wrong\n");
    assert.equal(
      read(),
      "[taskcluster 2026-08-01T10:00:00.120Z] one\n" +
        "[taskcluster 2026-08-01T10:00:00.120Z] two\n" +
        "[taskcluster:warn 2026-08-01T10:00:00.120Z] careful\n" +
        "[taskcluster:error] wrong\n[taskcluster:error] \n",
    );
  });
});

Deno.test("K28: a message after output without newline starts on a line of its own", () => {
  withLog((log, read) => {
    log.write(encode("no newline"));
    log.error("failed");
    assert.equal(read(), "no newline\n[taskcluster:error] failed\n");
  });
});

Deno.test("a task log keeps the bytes of commands as they are, in order", () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 });
  fc.assert(
    fc.property(chunks, (written) => {
      withLog((log) => {
        for (const chunk of written) log.write(chunk);
        const expected = written.flatMap((chunk) => [...chunk]);
        assert.deepEqual([...Deno.readFileSync(log.path)], expected);
        assert.equal(log.sizeBytes, expected.length);
      });
    }),
    { numRuns: 50, seed: 11 },
  );
});

Deno.test("a task log tells its followers of every write and of its end, until they stop following", () => {
  withLog((log) => {
    const sizes: number[] = [];
    const stop = log.follow(() => sizes.push(log.sizeBytes));
    log.write(encode("abc"));
    log.write(encode("de"));
    stop();
    log.write(encode("f"));
    log.follow(() => sizes.push(-1));
    log.close();
    assert.deepEqual(sizes, [3, 5, -1]);
  });
});

Deno.test("a task log takes nothing after its end", () => {
  withLog((log, read) => {
    log.write(encode("abc"));
    log.close();
    log.info("late");
    assert.equal(read(), "abc");
  });
});

Deno.test("a task log on a full disk counts what it loses and goes on", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const mounted = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory],
      stderr: "null",
    }).outputSync();
    assert.ok(mounted.success, "tests run as root and can mount a small file system");
    const log = new TaskLog({ path: join(directory, "log"), nowMs });
    try {
      log.write(new Uint8Array(200_000));
      assert.ok(log.lost && log.lost.bytes >= 200_000 - 65_536, Deno.inspect(log.lost));
      assert.match(log.lost.reason, /No space left/);
      log.info("still alive");
    } finally {
      log.close();
    }
  } finally {
    new Deno.Command("umount", { args: [directory], stderr: "null" }).outputSync();
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a task log begins a line of its own after output whose end was lost", () => {
  const directory = Deno.makeTempDirSync();
  const reserve = join(directory, "reserve");
  try {
    new Deno.Command("mount", { args: ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory] }).outputSync();
    Deno.writeFileSync(reserve, new Uint8Array(16_384));
    const log = new TaskLog({ path: join(directory, "log"), nowMs });
    log.write(encode("line\n".repeat(20_000).slice(2)));
    Deno.removeSync(reserve);
    log.error("lost");
    log.close();
    assert.match(Deno.readTextFileSync(log.path), /\n\[taskcluster:error\] lost\n$/);
  } finally {
    new Deno.Command("umount", { args: [directory], stderr: "null" }).outputSync();
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a worker log stamps each message once and names the run it speaks of (K29)", () => {
  const lines: string[] = [];
  const log = createWorkerLog((line) => lines.push(line), nowMs);
  log.info("one\ntwo");
  log.forTask("VbNXuVOFRGOhvDJEXVQRaA", 3).warn("careful");
  log.error("bad");
  assert.deepEqual(lines, [
    "2026/08/01 10:00:00Z one\ntwo\n",
    "2026/08/01 10:00:00Z WARNING: [VbNXuVOFRGOhvDJEXVQRaA/3] careful\n",
    "2026/08/01 10:00:00Z ERROR: bad\n",
  ]);
});
