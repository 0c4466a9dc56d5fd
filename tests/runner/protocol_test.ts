/** The conversation with worker-runner: what is said, what is heard, and that silence stops nothing. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeMessage, encodeMessage } from "../../src/runner/message.ts";
import { RunnerProtocol } from "../../src/runner/protocol.ts";

/** Both ends of the stream, in memory. */
function conversation(options: { brokenWrites?: boolean } = {}) {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const sent: string[] = [];
  const fallback: string[] = [];
  const asked: unknown[] = [];
  const protocol = new RunnerProtocol({
    input: readable,
    write: (bytes) => {
      if (options.brokenWrites) throw new Deno.errors.BrokenPipe("Broken pipe");
      sent.push(new TextDecoder().decode(bytes));
    },
    fallback: (line) => fallback.push(line),
  });
  const listening = protocol.listen();
  const serve = () =>
    protocol.serve({
      gracefulTermination: (request) => asked.push(request),
      newCredentials: (credentials) => asked.push(credentials),
      ended: () => asked.push("ended"),
    });
  const say = (text: string) => writer.write(new Uint8Array(encoder.encode(text)));
  const end = async () => {
    await writer.close();
    await listening;
  };
  return { protocol, sent, fallback, asked, serve, say, end };
}

const welcome =
  '~{"type":"welcome","capabilities":["log","graceful-termination","shutdown","error-report","unheard"]}\n';
const hello =
  '~{"capabilities":["error-report","graceful-termination","log","new-credentials","shutdown"],"type":"hello"}\n';

Deno.test("the worker answers welcome with hello and its full, sorted list of capabilities", async () => {
  const { protocol, sent, say, end } = conversation();
  await say(welcome.slice(0, 10));
  await say(welcome.slice(10));
  await protocol.ready;
  assert.deepEqual(sent, [hello]);
  assert.equal(protocol.capable("log"), true);
  assert.equal(protocol.capable("new-credentials"), false);
  await end();
});

Deno.test("K17: log messages before the welcome wait for it, those of a silent worker-runner go to the fallback", async () => {
  const spoken = conversation();
  spoken.protocol.log("early\n");
  await spoken.say("just a line\n");
  await spoken.say(welcome);
  await spoken.protocol.ready;
  assert.deepEqual(spoken.sent.slice(1).map(decodeMessage), [
    { type: "log", body: { textPayload: "early" } },
    { type: "log", body: { textPayload: "just a line" } },
  ]);
  await spoken.end();
  const silent = conversation();
  silent.protocol.log("early");
  silent.protocol.giveUpWaiting();
  silent.protocol.log("late");
  assert.deepEqual(silent.fallback, ["early", "late"]);
  await silent.end();
});

Deno.test("K17: a broken pipe is reported once, elsewhere, and nothing is lost", async () => {
  const { protocol, fallback, say, end } = conversation({ brokenWrites: true });
  await say(welcome);
  await protocol.ready;
  protocol.log("one");
  protocol.log("two");
  assert.equal(protocol.shutdown(), false);
  assert.deepEqual(fallback, ["Could not write to worker-runner: Broken pipe", "one", "two"]);
  await end();
});

Deno.test("requests of worker-runner reach the worker, those from before it was ready too", async () => {
  const { protocol, asked, serve, say, end } = conversation();
  await say(welcome);
  await say('~{"type":"new-credentials","client-id":"c","access-token":"t","certificate":"{}"}\n');
  await protocol.ready;
  serve();
  await say('~{"type":"new-credentials","client-id":"d","access-token":"t"}\n');
  await say('  ~{"type":"graceful-termination","finish-tasks":false}  \r\n');
  await end();
  assert.deepEqual(asked, [
    { clientId: "c", accessToken: "t", certificate: "{}" },
    { clientId: "d", accessToken: "t" },
    { finishTasks: false },
    "ended",
  ]);
});

Deno.test("K9, K18: a malformed request changes nothing, kills nothing and leaks no fields into the next", async () => {
  const { protocol, asked, serve, sent, say, end } = conversation();
  serve();
  await say(welcome);
  await say(
    '~{"type":"new-credentials","client-id":"c"}\n~{"type":"new-credentials","access-token":"secret"}\n',
  );
  await say('~{"type":"graceful-termination"}\n~{"type":"graceful-termination","finish-tasks":"yes"}\n');
  await say('~{"type":"whatever"}\n~{"type":7}\n~{not json}\n');
  await protocol.ready;
  await end();
  assert.deepEqual(asked, ["ended"]);
  assert.ok(!sent.join("").includes("secret"));
});

Deno.test("error reports and shutdown are sent only where worker-runner has them", async () => {
  const capable = conversation();
  await capable.say(welcome);
  await capable.protocol.ready;
  capable.protocol.reportError("it broke", { GOOS: "linux" });
  assert.equal(capable.protocol.shutdown(), true);
  assert.deepEqual(capable.sent.slice(1).map(decodeMessage), [
    {
      type: "error-report",
      kind: "worker-error",
      title: "generic-worker error",
      description: "it broke",
      extra: { GOOS: "linux" },
    },
    { type: "shutdown" },
  ]);
  await capable.end();
  const bare = conversation();
  await bare.say('~{"type":"welcome","capabilities":[]}\n');
  await bare.protocol.ready;
  bare.protocol.reportError("it broke", {});
  assert.equal(bare.protocol.shutdown(), false);
  bare.protocol.log("plain");
  assert.deepEqual([bare.sent, bare.fallback], [[hello], ["plain"]]);
  await bare.end();
});

Deno.test("any line is either a message that was encoded or plain text, never an exception", () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      const message = decodeMessage(line);
      if (message) assert.equal(typeof message.type, "string");
    }),
    { numRuns: 2000, seed: 3 },
  );
  fc.assert(
    fc.property(fc.string(), fc.json(), (type, json) => {
      const message = { type, value: JSON.parse(json) };
      const line = encodeMessage(message);
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.deepEqual(JSON.stringify(decodeMessage(line)?.["type"]), JSON.stringify(type));
    }),
    { numRuns: 500, seed: 4 },
  );
});
