/** Each row of the payload tables and of the validator's semantics (spec 02 §1.2 to §2.2, §11, §12). */

import assert from "node:assert/strict";
import { validatePayload } from "../../../src/features/payload_validator/validate_payload.ts";
import {
  accepted,
  allSchemas,
  assertValid,
  assertViolation,
  full,
  fullDocker,
  type Json,
  minimal,
  minimalDocker,
  posixSchemas,
  schemas,
  sha256,
  slug,
  violationsOf,
} from "./payloads.ts";

const insecure = schemas.insecurePosix;
const windows = schemas.multiuserWindows;
const minimalWindows: Json = { command: ["echo hello"], maxRunTime: 60 };

/** The native payload with one property more. */
const having = (property: string, value: unknown): Json => ({ ...minimal, [property]: value });
const withArtifact = (more: Json): Json => having("artifacts", [{ type: "file", path: "a", ...more }]);
const withContent = (content: unknown): Json => having("mounts", [{ file: "f", content }]);

Deno.test("a payload with every property is valid on posix", () => {
  for (const schema of posixSchemas) assertValid(full, schema);
});

Deno.test("a docker-worker payload with every property is valid on posix, and told apart", () => {
  for (const schema of posixSchemas) {
    for (const payload of [fullDocker, minimalDocker]) {
      assert.deepEqual(validatePayload(payload, schema), { kind: "docker", payload });
    }
  }
});

Deno.test("a docker-worker payload is not known on Windows", () => {
  assertViolation(minimalDocker, "(root): Additional property image is not allowed", windows);
  assertViolation(minimalDocker, "(root): command is required", windows);
});

Deno.test("Windows takes commands as strings and rdpInfo", () => {
  assertValid(
    { ...minimalWindows, command: ["", "a"], rdpInfo: "", features: { hideCmdWindow: true } },
    windows,
  );
  assertViolation(minimal, "command.0: Invalid type. Expected: string, given: array", windows);
  assertViolation(
    having("rdpInfo", "x"),
    "(root): Additional property rdpInfo is not allowed",
  );
});

const featureTable: Record<string, readonly [boolean, boolean, boolean]> = {
  backingLog: [true, true, true],
  liveLog: [true, true, true],
  resourceMonitor: [true, true, true],
  interactive: [true, true, true],
  taskclusterProxy: [true, true, true],
  loopbackAudio: [true, true, false],
  loopbackVideo: [true, true, false],
  chainOfTrust: [false, true, true],
  runTaskAsCurrentUser: [false, true, true],
  runAsAdministrator: [false, false, true],
  hideCmdWindow: [false, false, true],
};

for (const [feature, known] of Object.entries(featureTable)) {
  Deno.test(`feature ${feature} is known exactly to the builds that have it, and is a boolean`, () => {
    for (const [index, schema] of allSchemas.entries()) {
      const base = schema === windows ? minimalWindows : minimal;
      if (known[index]) {
        for (const value of [true, false]) assertValid({ ...base, features: { [feature]: value } }, schema);
        const line = `features.${feature}: Invalid type. Expected: boolean, given: string`;
        assertViolation({ ...base, features: { [feature]: "true" } }, line, schema);
      } else {
        const line = `features: Additional property ${feature} is not allowed`;
        assertViolation({ ...base, features: { [feature]: true } }, line, schema);
      }
    }
  });
}

/** Valid, each for a rule that a stricter reading would break. */
const validRows: Record<string, Json> = {
  "empty argument": { ...minimal, command: [[""], ["a", "", ""]] },
  "repeated commands": { ...minimal, command: [["a", "a"], ["a", "a"]] },
  "maxRunTime without an upper bound": { ...minimal, maxRunTime: 9007199254740991 },
  "maxRunTime written as 60.0": { ...minimal, maxRunTime: JSON.parse("60.0") },
  "maxRunTime written as 6e1": { ...minimal, maxRunTime: JSON.parse("6e1") },
  "maxRunTime of the largest 64-bit integer": { ...minimal, maxRunTime: JSON.parse("9223372036854775807") },
  "empty collections": {
    ...minimal,
    env: {},
    artifacts: [],
    features: {},
    mounts: [],
    osGroups: [],
    onExitStatus: { retry: [], purgeCaches: [] },
    logs: {},
  },
  "environment named like parts of a prototype": having(
    "env",
    JSON.parse('{"__proto__":"a","toString":"b"}'),
  ),
  "artifact of the empty path": withArtifact({ path: "", name: "", contentType: "" }),
  "artifact expiring on a date": withArtifact({ expires: "2030-01-01" }),
  "equal mounts": having("mounts", [1, 2].map(() => ({ directory: "a", cacheName: "b" }))),
  "artifacts that differ only in an optional member": having("artifacts", [
    { type: "file", path: "a" },
    { type: "file", path: "a", optional: false },
  ]),
  "purgeCaches of 0 and -0": having("onExitStatus", { purgeCaches: [0, -0] }),
  "artifact name of 1024 code points": withContent({ taskId: slug, artifact: "😀".repeat(1024) }),
  "artifact name of 1024 unpaired surrogates": withContent({ taskId: slug, artifact: "\ud800".repeat(1024) }),
  "namespace of 255": withContent({ namespace: "n".repeat(255), artifact: "" }),
  "raw of 65536": withContent({ raw: "é".repeat(65536) }),
  "base64 of 65536": withContent({ base64: "A".repeat(65536) }),
  "opaque url": withContent({ url: "x:" }),
  "writable cache with content and format": having("mounts", [
    { directory: "a", cacheName: "", content: { raw: "x" }, format: "tar.mz" },
  ]),
};

for (const [what, payload] of Object.entries(validRows)) {
  Deno.test(`validatePayload() accepts: ${what}`, () => {
    for (const schema of posixSchemas) assertValid(payload, schema);
  });
}

const content = "mounts.0.content";

/** Invalid: why, the payload, and a line that must be among the violations. */
const invalidRows: readonly (readonly [string, unknown, string])[] = [
  ["nothing at all", {}, "(root): command is required"],
  ["no run time", {}, "(root): maxRunTime is required"],
  ["an unknown root key", { a: "b" }, "(root): Additional property a is not allowed"],
  ["one alternative must match", {}, "(root): Must validate one and only one schema (oneOf)"],
  ["an empty list of commands", { ...minimal, command: [] }, "command: Array must have at least 1 items"],
  ["an empty command", { ...minimal, command: [[]] }, "command.0: Array must have at least 1 items"],
  [
    "a command of numbers",
    { ...minimal, command: [[1]] },
    "command.0.0: Invalid type. Expected: string, given: integer",
  ],
  [
    "a command that is a string",
    { ...minimal, command: "a" },
    "command: Invalid type. Expected: array, given: string",
  ],
  ["a null command", { ...minimal, command: null }, "command: Invalid type. Expected: array, given: null"],
  ["a numeric variable", having("env", { A: 1 }), "env.A: Invalid type. Expected: string, given: integer"],
  ["a boolean variable", having("env", { A: true }), "env.A: Invalid type. Expected: string, given: boolean"],
  ["a null variable", having("env", { A: null }), "env.A: Invalid type. Expected: string, given: null"],
  ["a list of variables", having("env", []), "env: Invalid type. Expected: object, given: array"],
  ["no time to run", { ...minimal, maxRunTime: 0 }, "maxRunTime: Must be greater than or equal to 1"],
  ["a negative time", { ...minimal, maxRunTime: -1 }, "maxRunTime: Must be greater than or equal to 1"],
  [
    "half a second",
    { ...minimal, maxRunTime: 1.5 },
    "maxRunTime: Invalid type. Expected: integer, given: number",
  ],
  [
    "a time in quotes",
    { ...minimal, maxRunTime: "60" },
    "maxRunTime: Invalid type. Expected: integer, given: string",
  ],
  ["an unknown feature", having("features", { x: true }), "features: Additional property x is not allowed"],
  [
    "a null feature object",
    having("features", null),
    "features: Invalid type. Expected: object, given: null",
  ],
  ["an artifact without path", having("artifacts", [{ type: "file" }]), "artifacts.0: path is required"],
  ["an artifact without type", having("artifacts", [{ path: "a" }]), "artifacts.0: type is required"],
  [
    "an artifact of type volume",
    withArtifact({ type: "volume" }),
    'artifacts.0.type: artifacts.0.type must be one of the following: "file", "directory"',
  ],
  [
    "an unknown encoding",
    withArtifact({ contentEncoding: "br" }),
    'artifacts.0.contentEncoding: artifacts.0.contentEncoding must be one of the following: "identity", "gzip"',
  ],
  [
    "an expiry without zone",
    withArtifact({ expires: "2030-01-01T00:00:00" }),
    "artifacts.0.expires: Does not match format 'date-time'",
  ],
  [
    "an unknown artifact key",
    withArtifact({ nam: "x" }),
    "artifacts.0: Additional property nam is not allowed",
  ],
  [
    "a string for optional",
    withArtifact({ optional: "no" }),
    "artifacts.0.optional: Invalid type. Expected: boolean, given: string",
  ],
  [
    "equal artifacts",
    having("artifacts", [{ type: "file", path: "a" }, { type: "file", path: "b" }, {
      path: "a",
      type: "file",
    }]),
    "artifacts: array items[0,2] must be unique",
  ],
  [
    "equal artifacts that are invalid",
    having("artifacts", [1, 1.0]),
    "artifacts: array items[0,1] must be unique",
  ],
  ["equal groups", having("osGroups", ["a", "b", "a", "a"]), "osGroups: array items[2,3] must be unique"],
  [
    "groups equal once decoded",
    having("osGroups", ["\ud800", "\ufffd"]),
    "osGroups: array items[0,1] must be unique",
  ],
  [
    "a number for the superseder",
    having("supersederUrl", 1),
    "supersederUrl: Invalid type. Expected: string, given: integer",
  ],
  [
    "a negative retry",
    having("onExitStatus", { retry: [-1] }),
    "onExitStatus.retry.0: Must be greater than or equal to 1",
  ],
  [
    "retry of 0",
    having("onExitStatus", { retry: [5, 0] }),
    "onExitStatus.retry.1: Must be greater than or equal to 1",
  ],
  [
    "a negative purge",
    having("onExitStatus", { purgeCaches: [-1] }),
    "onExitStatus.purgeCaches.0: Must be greater than or equal to 0",
  ],
  [
    "retry of a fraction",
    having("onExitStatus", { retry: [1.5] }),
    "onExitStatus.retry.0: Invalid type. Expected: integer, given: number",
  ],
  [
    "repeated retry",
    having("onExitStatus", { retry: [1, 1] }),
    "onExitStatus.retry: array items[0,1] must be unique",
  ],
  [
    "retries equal as floats",
    having("onExitStatus", JSON.parse('{"retry":[9007199254740992,9007199254740993]}')),
    "onExitStatus.retry: array items[0,1] must be unique",
  ],
  [
    "an unknown exit status key",
    having("onExitStatus", { x: [] }),
    "onExitStatus: Additional property x is not allowed",
  ],
  ["an unknown log key", having("logs", { x: "" }), "logs: Additional property x is not allowed"],
  [
    "a null log name",
    having("logs", { live: null }),
    "logs.live: Invalid type. Expected: string, given: null",
  ],
  [
    "an unknown interface",
    having("taskclusterProxyInterface", "eth0"),
    'taskclusterProxyInterface: taskclusterProxyInterface must be one of the following: "localhost", "docker-bridge"',
  ],
  ["no mount", having("mounts", [{}]), "mounts.0: Must validate one and only one schema (oneOf)"],
  ["a mount without content", having("mounts", [{ file: "a" }]), "mounts.0: content is required"],
  [
    "a misspelt key in content",
    withContent({ raw: "", rawr: "" }),
    `${content}: Additional property rawr is not allowed`,
  ],
  [
    "content of two kinds",
    withContent({ raw: "", url: "x:" }),
    `${content}: Must validate one and only one schema (oneOf)`,
  ],
  ["content that is a string", withContent("x"), `${content}: Must validate one and only one schema (oneOf)`],
  [
    "an archive format for a file",
    having("mounts", [{ file: "a", content: { raw: "" }, format: "zip" }]),
    'mounts.0.format: mounts.0.format must be one of the following: "br", "bz2", "gz", "lz", "lz4", "mz", "sz", "xz", "zst", "zz"',
  ],
  [
    "a file format for a directory",
    having("mounts", [{ directory: "a", content: { raw: "" }, format: "gz" }]),
    'mounts.0.format: mounts.0.format must be one of the following: "7z", "rar", "tar", "tar.br", "tar.bz2", "tar.gz", ' +
    '"tar.lz", "tar.lz4", "tar.mz", "tar.sz", "tar.xz", "tar.zst", "tar.zz", "zip"',
  ],
  [
    "a cache with content but no format",
    having("mounts", [{ directory: "a", cacheName: "b", content: { raw: "" } }]),
    "mounts.0: Has a dependency on format",
  ],
  [
    "a cache with a format but no content",
    having("mounts", [{ directory: "a", cacheName: "b", format: "zip" }]),
    "mounts.0: Has a dependency on content",
  ],
  [
    "a read-only directory without format",
    having("mounts", [{ directory: "a", content: { raw: "" } }]),
    "mounts.0: format is required",
  ],
  [
    "a task id that is no slug",
    withContent({ taskId: "x", artifact: "a" }),
    `${content}.taskId: Does not match pattern '^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$'`,
  ],
  [
    "a task id with a newline after it",
    withContent({ taskId: `${slug}\n`, artifact: "a" }),
    `${content}.taskId: Does not match pattern '^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$'`,
  ],
  [
    "a checksum in capitals",
    withContent({ url: "x:", sha256: sha256.toUpperCase() }),
    `${content}.sha256: Does not match pattern '^[a-f0-9]{64}$'`,
  ],
  [
    "a checksum for indexed content",
    withContent({ namespace: "a", artifact: "b", sha256 }),
    `${content}: Additional property sha256 is not allowed`,
  ],
  [
    "a url without scheme",
    withContent({ url: "example.com/a" }),
    `${content}.url: Does not match format 'uri'`,
  ],
  [
    "empty base64",
    withContent({ base64: "" }),
    `${content}.base64: Does not match pattern '^[A-Za-z0-9/+]+[=]{0,2}$'`,
  ],
  [
    "an artifact name of 1025 code points",
    withContent({ taskId: slug, artifact: "😀".repeat(1025) }),
    `${content}.artifact: String length must be less than or equal to 1024`,
  ],
  [
    "a namespace of 256",
    withContent({ namespace: "n".repeat(256), artifact: "" }),
    `${content}.namespace: String length must be less than or equal to 255`,
  ],
  [
    "raw of 65537",
    withContent({ raw: "a".repeat(65537) }),
    `${content}.raw: String length must be less than or equal to 65536`,
  ],
  [
    "base64 of 65537",
    withContent({ base64: "a".repeat(65537) }),
    `${content}.base64: String length must be less than or equal to 65536`,
  ],
];

for (const [why, payload, line] of invalidRows) {
  Deno.test(`validatePayload() refuses ${why}`, () => {
    for (const schema of posixSchemas) assertViolation(payload, line, schema);
  });
}

/** Of the docker-worker alternative. */
const invalidDockerRows: readonly (readonly [string, Json, string])[] = [
  ["an image that is a number", { image: 1 }, "image: Must validate one and only one schema (oneOf)"],
  [
    "an image of an unknown type",
    { image: { type: "x", name: "a" } },
    'image.type: image.type must be one of the following: "docker-image"',
  ],
  ["an image without its path", { image: { type: "task-image", taskId: "a" } }, "image: path is required"],
  [
    "an image with more keys",
    { image: { type: "docker-image", name: "a", x: 1 } },
    "image: Additional property x is not allowed",
  ],
  [
    "a command of commands",
    { command: [["a"]], log: "", cache: {} },
    "command.0: Invalid type. Expected: string, given: array",
  ],
  [
    "a list of artifacts",
    { artifacts: [], cache: {}, log: "" },
    "artifacts: Invalid type. Expected: object, given: array",
  ],
  [
    "an artifact of unknown type",
    { artifacts: { a: { type: "x", path: "" } } },
    'artifacts.a.type: artifacts.a.type must be one of the following: "file", "directory", "volume"',
  ],
  [
    "an unknown device",
    { capabilities: { devices: { gpu: true } } },
    "capabilities.devices: Additional property gpu is not allowed",
  ],
  [
    "an unknown capability",
    { capabilities: { x: true } },
    "capabilities: Additional property x is not allowed",
  ],
  ["a numeric cache", { cache: { a: 1 } }, "cache.a: Invalid type. Expected: string, given: integer"],
  [
    "an exit status of a fraction",
    { onExitStatus: { retry: [0.5] }, log: "" },
    "onExitStatus.retry.0: Invalid type. Expected: integer, given: number",
  ],
];

for (const [why, more, line] of invalidDockerRows) {
  Deno.test(`validatePayload() refuses, of a docker-worker payload, ${why}`, () => {
    for (const schema of posixSchemas) assertViolation({ ...minimalDocker, ...more }, line, schema);
  });
}

Deno.test("validatePayload() refuses null at every property of a full payload", () => {
  for (const payload of [full, fullDocker]) {
    for (const key of Object.keys(payload)) {
      assert.ok(violationsOf({ ...payload, [key]: null }).length > 0, key);
    }
  }
});

Deno.test("validatePayload() refuses what is no object", () => {
  for (const payload of [null, undefined, true, 0, "", [], [minimal]]) {
    assert.match(
      violationsOf(payload, insecure).join("\n"),
      /^\(root\): Invalid type\. Expected: object, given: /m,
    );
    assert.match(
      violationsOf(payload, windows).join("\n"),
      /^\(root\): Invalid type\. Expected: object, given: /m,
    );
  }
});

Deno.test("validatePayload() puts the oneOf line first, and that of the inner place before its reasons", () => {
  assert.deepEqual(violationsOf(withContent({ raw: 1 })), [
    "(root): Must validate one and only one schema (oneOf)",
    "mounts.0: Must validate one and only one schema (oneOf)",
    "mounts.0.content: Must validate one and only one schema (oneOf)",
    "mounts.0.content.raw: Invalid type. Expected: string, given: integer",
  ]);
});

Deno.test("validatePayload() explains by the native alternative when the score is even", () => {
  assert.deepEqual(violationsOf({}), [
    "(root): Must validate one and only one schema (oneOf)",
    "(root): command is required",
    "(root): maxRunTime is required",
  ]);
});

Deno.test("validatePayload() explains a native-shaped payload with an image by the native alternative", () => {
  assert.deepEqual(violationsOf({ ...full, image: "ubuntu" }), [
    "(root): Must validate one and only one schema (oneOf)",
    "(root): Additional property image is not allowed",
  ]);
});

Deno.test("validatePayload() explains a docker-shaped payload by the docker-worker alternative", () => {
  assert.deepEqual(violationsOf({ ...minimalDocker, command: ["a", 1] }), [
    "(root): Must validate one and only one schema (oneOf)",
    "command.1: Invalid type. Expected: string, given: integer",
  ]);
});

Deno.test("02 §12.32: strings instead of arrays in command are explained as such, though docker-worker's fits better", () => {
  assert.deepEqual(violationsOf({ command: ["/bin/true"], maxRunTime: 1 }), [
    "(root): Must validate one and only one schema (oneOf)",
    "command.0: Invalid type. Expected: array, given: string",
    "(root): image is required",
  ]);
});

Deno.test("02 §12.2: numbers beyond 64 bits and beyond floats are refused with their limit", () => {
  const limit = "Must be less than or equal to 9223372036854775807";
  for (const number of ["9223372036854777856", "1e21", "1e308", "1e400", "1e1000001"]) {
    const value = JSON.parse(number);
    assertViolation({ ...minimal, maxRunTime: value }, `maxRunTime: ${limit}`);
    assertViolation(having("onExitStatus", { retry: [value] }), `onExitStatus.retry.0: ${limit}`);
    assertViolation(
      having("onExitStatus", { purgeCaches: [1, value] }),
      `onExitStatus.purgeCaches.1: ${limit}`,
    );
    assertViolation({ ...fullDocker, onExitStatus: { retry: [value] } }, `onExitStatus.retry.0: ${limit}`);
  }
  assertViolation(
    { ...fullDocker, onExitStatus: { retry: [JSON.parse("-1e400")] } },
    "onExitStatus.retry.0: Must be greater than or equal to -9223372036854775808",
  );
  assertViolation({ ...minimal, maxRunTime: -Infinity }, "maxRunTime: Must be greater than or equal to 1");
  assertViolation(
    having("artifacts", [Infinity, [Infinity]]),
    "artifacts.0: Invalid type. Expected: object, given: integer",
  );
});

Deno.test("02 §12.2: an expiry that names a moment is brought into the usual form, another is refused", () => {
  const expiry = (expires: string) => accepted(withArtifact({ expires })).artifacts[0]?.expires;
  assert.equal(expiry("2030-01-01T00:00:00.000Z"), "2030-01-01T00:00:00.000Z");
  assert.equal(expiry("2030-01-01"), "2030-01-01T00:00:00.000Z");
  assert.equal(expiry("2030-01-01T3:00:00,25+03:00"), "2030-01-01T00:00:00.250Z");
  assertViolation(
    withArtifact({ expires: "10:00:00Z" }),
    'artifacts.0.expires: "10:00:00Z" is not a moment in the years 0 to 9999; ' +
      "give date, time and zone, for example 2030-01-31T12:00:00.000Z",
  );
});

Deno.test("02 §12.5: an empty log name is refused unless that log is off", () => {
  assertViolation(
    having("logs", { live: "" }),
    "logs.live: Must not be empty unless features.liveLog is false",
  );
  assertViolation(
    having("logs", { backing: "" }),
    "logs.backing: Must not be empty unless features.backingLog is false",
  );
  const off = {
    ...minimal,
    features: { liveLog: false, backingLog: false },
    logs: { live: "", backing: "" },
  };
  assert.deepEqual(accepted(off).logs, { live: "", backing: "" });
});

Deno.test("validatePayload() fills in the defaults, member by member, and keeps what is said", () => {
  assert.deepEqual(accepted(minimal), {
    command: [["true"]],
    env: {},
    maxRunTime: 60,
    artifacts: [],
    features: { backingLog: true, liveLog: true, resourceMonitor: true },
    mounts: [],
    osGroups: [],
    onExitStatus: { retry: [], purgeCaches: [] },
    logs: { live: "public/logs/live.log", backing: "public/logs/live_backing.log" },
    taskclusterProxyInterface: "localhost",
  });
  const partial = accepted({
    ...minimal,
    features: { liveLog: false },
    logs: { backing: "private/b" },
    onExitStatus: { retry: [3] },
  });
  assert.deepEqual(partial.features, { backingLog: true, liveLog: false, resourceMonitor: true });
  assert.deepEqual(partial.logs, { live: "public/logs/live.log", backing: "private/b" });
  assert.deepEqual(partial.onExitStatus, { retry: [3], purgeCaches: [] });
  assert.deepEqual(accepted(full), full);
});

Deno.test("validatePayload() leaves the claimed payload as it was", () => {
  const before = JSON.stringify(full);
  validatePayload(full, insecure);
  assert.equal(JSON.stringify(full), before);
});

Deno.test("validatePayload() reads unpaired surrogates as U+FFFD, in names and values", () => {
  const payload = accepted(having("env", { "A\ud800": "\udc00b", "😀": "😀" }));
  assert.deepEqual(payload.env, { "A\ufffd": "\ufffdb", "😀": "😀" });
});

Deno.test("validatePayload() keeps __proto__ a variable like any other", () => {
  const payload = accepted(JSON.parse('{"command":[["a"]],"maxRunTime":1,"env":{"__proto__":"x"}}'));
  assert.deepEqual(Object.entries(payload.env), [["__proto__", "x"]]);
});

Deno.test("validatePayload() takes names of the prototype for unknown keys", () => {
  for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    const payload = JSON.parse(`{"command":[["a"]],"maxRunTime":1,"${key}":{"type":"object"}}`);
    assertViolation(payload, `(root): Additional property ${key} is not allowed`);
    const features = JSON.parse(`{"command":[["a"]],"maxRunTime":1,"features":{"${key}":true}}`);
    assertViolation(features, `features: Additional property ${key} is not allowed`);
  }
});

Deno.test("validatePayload() does not take an inherited member for a present one", () => {
  const payload = JSON.parse('{"__proto__":{"command":[["a"]],"maxRunTime":1}}');
  assertViolation(payload, "(root): command is required");
});
