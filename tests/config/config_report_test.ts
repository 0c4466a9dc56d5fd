import { strict as assert } from "node:assert";
import type { Build } from "../../src/base/build.ts";
import { stableJson } from "../../src/base/stable_json.ts";
import { Secret } from "../../src/base/secret.ts";
import { reportOnText } from "../../src/config/config_report.ts";
import { publicConfig } from "../../src/config/public_config.ts";
import { describeProblem, exitCodeOf } from "../../src/config/problem.ts";
import { insecure, minimal, multiuser } from "./samples.ts";

function problems(text: string, build: Build = insecure): string[] {
  return reportOnText(text, build).problems.map(describeProblem);
}

Deno.test("reportOnText() names every mistake with its place, what was found and what is allowed", () => {
  const text = `{
  "accessToken": "t", "clientId": "c", "rootURL": "https://tc.example.com",
  "workerType": 7,
  "workerId": "w",
  "capacity": 256,
  "shutdownMachineOnIdle": "yes",
  "publicIP": "257.1.2.1",
  "d2gConfig": {"enableD2G": 1, "gpuz": "x"}
}`;
  assert.deepEqual(problems(text), [
    '3:17: "workerType" must be a string, but is 7 (cannot unmarshal number 7 into workerType of type string)',
    '5:15: "capacity" must be a whole number from 1 to 255, but is 256 ' +
    "(cannot unmarshal number 256 into capacity of type uint8)",
    '6:28: "shutdownMachineOnIdle" must be true or false, but is "yes" ' +
    "(cannot unmarshal string into shutdownMachineOnIdle of type bool)",
    '7:15: invalid IP address: 257.1.2.1; "publicIP" must be a string with an IPv4 or IPv6 address, or ""',
    '8:30: "d2gConfig.enableD2G" must be true or false, but is 1 ' +
    "(cannot unmarshal number 1 into d2gConfig.enableD2G of type bool)",
    '8:33: unknown field "gpuz"; did you mean "gpus"?',
  ]);
});

Deno.test("reportOnText() explains unknown settings", () => {
  const cases: [object, RegExp, Build?][] = [
    [{ capcity: 1 }, /^1:\d+: unknown field "capcity"; did you mean "capacity"\?$/],
    [{ zzzzzz: 1 }, /^1:\d+: unknown field "zzzzzz"$/],
    [{ headlessTasks: true }, /unknown field "headlessTasks"; .* only with the multiuser engine.* insecure/],
    [{ enableRDP: true }, /unknown field "enableRDP"; .* only on Windows, .* the insecure engine on Linux/],
    [{ enableD2G: true }, /unknown field "enableD2G"; it belongs inside of d2gConfig/],
    [{ d2gConfig: { capacity: 1 } }, /unknown field "capacity"; it belongs outside of d2gConfig/],
    [{ d2gConfig: {} }, /unknown field "d2gConfig"; .* only on Linux/, {
      engine: "multiuser",
      os: "windows",
    }],
  ];
  for (const [extra, expected, build] of cases) {
    const config = { ...minimal, ed25519SigningKeyLocation: "k", ...extra };
    const [first, ...others] = problems(JSON.stringify(config), build);
    assert.match(first ?? "", expected);
    assert.deepEqual(others, []);
    assert.equal(exitCodeOf(reportOnText(JSON.stringify(config), build ?? insecure).problems), 64);
  }
});

Deno.test("reportOnText() accepts the settings of older releases on every build", () => {
  const config = {
    ...minimal,
    checkForNewDeploymentEverySecs: 60,
    deploymentId: "d",
    ed25519SigningKeyLocation: "k",
  };
  for (const os of ["linux", "darwin", "freebsd", "windows"] as const) {
    assert.deepEqual(problems(JSON.stringify(config), { engine: "multiuser", os }), []);
  }
});

Deno.test("reportOnText() places mistakes of syntax, and blames nothing on what it could not read", () => {
  assert.deepEqual(problems('{\n  "clientId": "c",\n}'), [
    "3:1: not valid JSON: a property name in double quotes is missing",
  ]);
  assert.match(
    problems('{"clientId": "c" // why\n}')[0] ?? "",
    /^1:18: not valid JSON: comments are not allowed$/,
  );
  assert.match(problems("{} {}")[0] ?? "", /^1:4: not valid JSON: nothing may follow/);
  assert.deepEqual(problems(""), ["1:1: not valid JSON: a value is missing"]);
  const both = problems('{"capcity": 1,\n "clientId" "c"}');
  assert.ok(both.some((text) => text.startsWith('1:2: unknown field "capcity"')), both.join("\n"));
  assert.ok(!both.some((text) => text.includes("needs a value")), both.join("\n"));
});

Deno.test("reportOnText() counts lines whatever ends them, and columns in characters", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    assert.match(problems(`{${end}${end}"region": "😀é", "x": 1}`)[0] ?? "", /^3:17: unknown field "x"/);
  }
});

Deno.test("reportOnText() does not mind a byte order mark", () => {
  assert.deepEqual(problems(`\ufeff${JSON.stringify(minimal)}`), []);
});

Deno.test("reportOnText() wants one JSON object", () => {
  for (const text of ["[]", "null", "7", '"x"', "true"]) {
    const report = reportOnText(text, insecure);
    assert.match(report.problems[0]?.message ?? "", /must be one JSON object/);
    assert.equal(exitCodeOf(report.problems), 64);
  }
});

Deno.test("reportOnText() refuses a document that is nested too deeply, and what it accepts can be printed", () => {
  const nested = (depth: number) =>
    JSON.stringify(minimal).replace(
      /\}$/,
      `, "region": "[[\\"[[", "workerTypeMetadata": ${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`,
    );
  assert.ok(
    stableJson(publicConfig(reportOnText(nested(999), insecure).config, insecure)).includes('"a": 1'),
  );
  for (const depth of [1000, 4000, 200_000]) {
    const { problems } = reportOnText(nested(depth), insecure);
    assert.match(problems[0]?.message ?? "", /nested more than 1000 levels deep/);
    assert.equal(exitCodeOf(problems), 64);
  }
});

Deno.test("reportOnText() never shows a secret, right or wrong", () => {
  const secret = "s3cr3t-t0k3n";
  const texts = [
    JSON.stringify({ ...minimal, accessToken: secret, certificate: secret }),
    JSON.stringify({ ...minimal, accessToken: [secret], certificate: { secret } }),
    JSON.stringify({ ...minimal, acessToken: secret, accessToken: "" }),
    `{"accessToken": "${secret}" "certificate": "${secret}`,
    `{"accessToken": 31337}`,
  ];
  for (const text of texts) {
    const report = reportOnText(text, insecure);
    const shown = JSON.stringify(report) + Deno.inspect(report, { depth: 9 });
    assert.ok(!shown.includes(secret) && !shown.includes("31337"), shown);
  }
});

Deno.test("reportOnText() says where each effective value comes from", () => {
  const { settings } = reportOnText(
    '{\n "accessToken": "t",\n "CAPACITY": 3,\n "d2gConfig": {"gpus": "1"}}',
    insecure,
  );
  const find = (name: string) => settings.find((setting) => setting.name === name);
  assert.deepEqual(find("capacity"), { name: "capacity", value: 3, position: { line: 3, column: 14 } });
  assert.deepEqual(find("d2gConfig.gpus"), {
    name: "d2gConfig.gpus",
    value: "1",
    position: { line: 4, column: 24 },
  });
  assert.deepEqual(find("tasksDir"), { name: "tasksDir", value: "tasks" });
  assert.deepEqual(find("certificate"), { name: "certificate", value: "" });
  assert.ok(find("accessToken")?.value instanceof Secret);
  assert.equal(find("headlessTasks"), undefined);
  const unusable = reportOnText('{"capacity": "x"}', insecure).settings.find(({ name }) =>
    name === "capacity"
  );
  assert.deepEqual(unusable, { name: "capacity", value: 1 });
});

Deno.test("reportOnText() only warns of settings that the existing worker runs with", () => {
  const cases: [object, RegExp, Build?][] = [
    [{ workerId: "a b" }, /^1:\d+: "workerId" is "a b", which the queue will refuse/],
    [{ workerGroup: "g".repeat(39) }, /"workerGroup" is "g+", which the queue will refuse/],
    [{ rootURL: "tc.example.com" }, /"rootURL" .* not an http or https URL/],
    [{ capacity: 2 }, /not isolated from each other on the insecure engine/],
    [
      { capacity: 33, headlessTasks: true, ed25519SigningKeyLocation: "k" },
      /at most 32 tasks in one call/,
      multiuser,
    ],
    [{ loopbackAudioDeviceNumber: 32 }, /devices 0 to 31/],
    [{ maxMemoryUsagePercent: 101 }, /more than 100/],
    [{ wstAudience: "a" }, /"wstAudience" is not used without "wstServerURL"/],
    [{ wstServerURL: "https://w" }, /"wstServerURL" is not used without "wstAudience"/],
    [{ runAfterUserCreation: "/x" }, /ignored by the insecure engine/],
  ];
  for (const [extra, expected, build = insecure] of cases) {
    const report = reportOnText(JSON.stringify({ ...minimal, ...extra }), build);
    assert.equal(report.problems.length, 1, JSON.stringify(report.problems));
    assert.match(describeProblem(report.problems[0]!), expected);
    assert.equal(exitCodeOf(report.problems), 0);
  }
});

Deno.test("K16: reportOnText() warns of a livelogExposePort that something else uses, or that several tasks share", () => {
  const warnings = (extra: object) =>
    problems(JSON.stringify({ ...minimal, ...extra }))
      .filter((text) => text.includes('"livelogExposePort"'));
  assert.deepEqual(warnings({ livelogExposePort: 0 }), []);
  assert.deepEqual(warnings({ livelogExposePort: 60100 }), []);
  assert.match(warnings({ livelogExposePort: 60099 }).join(), /60098-60099 of "livelogPortBase"/);
  assert.match(
    warnings({ livelogExposePort: 53658, capacity: 2 }).join("\n"),
    /53654-53658 of "interactivePort"/,
  );
  assert.match(warnings({ livelogExposePort: 443, capacity: 2 }).join(), /only one task at a time/);
  const tunnel = { wstServerURL: "https://w", wstAudience: "a" };
  assert.deepEqual(warnings({ livelogExposePort: 60099, ...tunnel }), []);
});

Deno.test("reportOnText() warns of a setting that is given twice, in any case, and takes the last", () => {
  const text = `${JSON.stringify(minimal).slice(0, -1)}, "region": "a", "REGION": "b"}`;
  const report = reportOnText(text, insecure);
  assert.match(problems(text)[0] ?? "", /"region" is given more than once; the last value counts/);
  assert.equal(report.config.region, "b");
  assert.equal(exitCodeOf(report.problems), 0);
});
