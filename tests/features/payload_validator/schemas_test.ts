/** The schema documents against the tables of spec 02 §1: structure only, wording is free. */

import assert from "node:assert/strict";
import { Ajv } from "ajv";
import draft06 from "ajv-draft-06" with { type: "json" };
import { stableJson } from "../../../src/base/stable_json.ts";
import { allSchemas, type Json, posixSchemas, schemas } from "./payloads.ts";

/** What the evaluator checks, and what it may pass over. */
const understood = new Set([
  ...["$ref", "type", "oneOf", "enum", "pattern", "format", "maxLength", "minimum", "multipleOf", "minItems"],
  ...[
    "uniqueItems",
    "items",
    "required",
    "properties",
    "additionalProperties",
    "dependencies",
    "definitions",
  ],
  ...["$id", "$schema", "title", "description", "default"],
]);

const slugPattern = "^[A-Za-z0-9_-]{8}[Q-T][A-Za-z0-9_-][CGKOSWaeimquy26-][A-Za-z0-9_-]{10}[AQgw]$";
const sha256 = { type: "string", pattern: "^[a-f0-9]{64}$" };
const artifactName = { type: "string", maxLength: 1024 };
const fileFormats = ["br", "bz2", "gz", "lz", "lz4", "mz", "sz", "xz", "zst", "zz"];
const archiveFormats = [
  ...["7z", "rar", "tar", "tar.br", "tar.bz2", "tar.gz", "tar.lz", "tar.lz4", "tar.mz", "tar.sz", "tar.xz"],
  ...["tar.zst", "tar.zz", "zip"],
];
const boolean = { type: "boolean" };
const string = { type: "string" };

function closed(properties: Json, required: string[], more: Json = {}): Json {
  return { type: "object", additionalProperties: false, properties, required, ...more };
}

const definitions = {
  content: {
    oneOf: [
      closed({ taskId: { type: "string", pattern: slugPattern }, artifact: artifactName, sha256 }, [
        "taskId",
        "artifact",
      ]),
      closed({ namespace: { type: "string", maxLength: 255 }, artifact: artifactName }, [
        "namespace",
        "artifact",
      ]),
      closed({ url: { type: "string", format: "uri" }, sha256 }, ["url"]),
      closed({ raw: { type: "string", maxLength: 65536 } }, ["raw"]),
      closed({ base64: { type: "string", maxLength: 65536, pattern: "^[A-Za-z0-9/+]+[=]{0,2}$" } }, [
        "base64",
      ]),
    ],
  },
  fileMount: closed(
    {
      file: string,
      content: { $ref: "#/definitions/content" },
      format: { type: "string", enum: fileFormats },
    },
    ["file", "content"],
  ),
  mount: {
    oneOf: ["fileMount", "writableDirectoryCache", "readOnlyDirectory"]
      .map((name) => ({ $ref: `#/definitions/${name}` })),
  },
  readOnlyDirectory: closed(
    {
      directory: string,
      content: { $ref: "#/definitions/content" },
      format: { type: "string", enum: archiveFormats },
    },
    ["directory", "content", "format"],
  ),
  writableDirectoryCache: closed(
    {
      directory: string,
      cacheName: string,
      content: { $ref: "#/definitions/content" },
      format: { type: "string", enum: archiveFormats },
    },
    ["directory", "cacheName"],
    { dependencies: { content: ["format"], format: ["content"] } },
  ),
};
const dockerArtifact = closed(
  {
    type: { type: "string", enum: ["file", "directory", "volume"] },
    path: string,
    expires: { type: "string", format: "date-time" },
  },
  ["type", "path"],
);

const on = { type: "boolean", default: true };
const off = { type: "boolean", default: false };
const everywhere = {
  backingLog: on,
  liveLog: on,
  resourceMonitor: on,
  interactive: boolean,
  taskclusterProxy: boolean,
};
const features = {
  insecurePosix: { ...everywhere, loopbackAudio: boolean, loopbackVideo: boolean },
  multiuserPosix: {
    ...everywhere,
    loopbackAudio: boolean,
    loopbackVideo: boolean,
    chainOfTrust: boolean,
    runTaskAsCurrentUser: boolean,
  },
  multiuserWindows: {
    ...everywhere,
    chainOfTrust: boolean,
    runTaskAsCurrentUser: boolean,
    runAsAdministrator: boolean,
    hideCmdWindow: off,
  },
};
const maxRunTime = { type: "integer", minimum: 1, multipleOf: 1 };
const posixCommand = {
  type: "array",
  minItems: 1,
  uniqueItems: false,
  items: { type: "array", minItems: 1, uniqueItems: false, items: string },
};
const windowsCommand = { type: "array", minItems: 1, uniqueItems: false, items: string };

function native(command: Json, switches: Json, more: Json = {}): Json {
  return closed(
    {
      command,
      env: { type: "object", additionalProperties: string },
      maxRunTime,
      artifacts: {
        type: "array",
        uniqueItems: true,
        items: closed({
          type: { type: "string", enum: ["file", "directory"] },
          path: string,
          name: string,
          expires: { type: "string", format: "date-time" },
          contentType: string,
          contentEncoding: { type: "string", enum: ["identity", "gzip"] },
          optional: off,
        }, ["type", "path"]),
      },
      features: closed(switches, []),
      mounts: { type: "array", uniqueItems: false, items: { $ref: "#/definitions/mount" } },
      osGroups: { type: "array", uniqueItems: true, items: string },
      supersederUrl: string,
      onExitStatus: closed({
        retry: { type: "array", uniqueItems: true, items: { type: "integer", minimum: 1 } },
        purgeCaches: { type: "array", uniqueItems: true, items: { type: "integer", minimum: 0 } },
      }, []),
      logs: closed({
        live: { type: "string", default: "public/logs/live.log" },
        backing: { type: "string", default: "public/logs/live_backing.log" },
      }, []),
      taskclusterProxyInterface: {
        type: "string",
        enum: ["localhost", "docker-bridge"],
        default: "localhost",
      },
      ...more,
    },
    ["command", "maxRunTime"],
  );
}

function image(type: string, ...keys: string[]): Json {
  const properties = Object.fromEntries(keys.map((key) => [key, string]));
  return closed({ type: { type: "string", enum: [type] }, ...properties }, ["type", ...keys]);
}

const docker = closed(
  {
    image: {
      oneOf: [
        string,
        image("docker-image", "name"),
        image("indexed-image", "namespace", "path"),
        image("task-image", "taskId", "path"),
      ],
    },
    maxRunTime,
    command: { type: "array", items: string, default: [] },
    env: { type: "object", additionalProperties: string },
    log: { type: "string", default: "public/logs/live.log" },
    cache: { type: "object", additionalProperties: string },
    artifacts: { type: "object", additionalProperties: { $ref: "#/definitions/artifact" } },
    supersederUrl: string,
    onExitStatus: closed({
      retry: { type: "array", items: { type: "integer" } },
      purgeCaches: { type: "array", items: { type: "integer" } },
    }, []),
    capabilities: closed({
      privileged: off,
      disableSeccomp: off,
      devices: closed({
        loopbackVideo: boolean,
        loopbackAudio: boolean,
        hostSharedMemory: boolean,
        kvm: boolean,
      }, []),
    }, []),
    features: closed({
      localLiveLog: on,
      bulkLog: on,
      artifacts: on,
      taskclusterProxy: off,
      interactive: off,
      allowPtrace: off,
      chainOfTrust: off,
    }, []),
  },
  ["image", "maxRunTime"],
);

function posix(id: string, switches: Json): Json {
  return {
    $id: `/schemas/generic-worker/${id}.json#`,
    $schema: "/schemas/common/metaschema.json#",
    oneOf: [native(posixCommand, switches), docker],
    definitions: { ...definitions, artifact: dockerArtifact },
  };
}

const expected: Record<keyof typeof schemas, Json> = {
  insecurePosix: posix("insecure_posix", features.insecurePosix),
  multiuserPosix: posix("multiuser_posix", features.multiuserPosix),
  multiuserWindows: {
    $id: "/schemas/generic-worker/multiuser_windows.json#",
    $schema: "/schemas/common/metaschema.json#",
    ...native(windowsCommand, features.multiuserWindows, { rdpInfo: string }),
    definitions,
  },
};

/** Without titles and descriptions, except below `properties`, where those would be names. */
function structure(value: unknown, names = false): unknown {
  if (Array.isArray(value)) return value.map((item) => structure(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => names || (key !== "title" && key !== "description"))
      .map((
        [key, member],
      ) => [key, structure(member, !names && (key === "properties" || key === "definitions"))]),
  );
}

function* schemaNodes(schema: Json): Generator<Json> {
  yield schema;
  const named = [schema["properties"], schema["definitions"]].flatMap((group) => Object.values(group ?? {}));
  const single = [schema["items"], schema["additionalProperties"]].filter((inner) =>
    typeof inner === "object"
  );
  for (const inner of [...named, ...single, ...(schema["oneOf"] as Json[] | undefined ?? [])]) {
    yield* schemaNodes(inner as Json);
  }
}

for (const [name, schema] of Object.entries(schemas)) {
  Deno.test(`schema ${name} has the structure of the specification's tables`, () => {
    assert.equal(stableJson(structure(schema)), stableJson(expected[name as keyof typeof schemas]));
  });

  Deno.test(`schema ${name} is valid draft-06`, () => {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addMetaSchema(draft06);
    const { $schema: _alias, ...document } = schema;
    assert.equal(ajv.validateSchema({ ...document, $schema: draft06.$id }), true, ajv.errorsText());
  });

  Deno.test(`schema ${name} has no keyword that the evaluator does not know`, () => {
    for (const node of schemaNodes(schema)) {
      for (const key of Object.keys(node)) assert.ok(understood.has(key), key);
      if (node["$ref"] !== undefined) assert.deepEqual(Object.keys(node), ["$ref"]);
    }
  });
}

Deno.test("schemas: the titles that tools look for are there", () => {
  for (const schema of posixSchemas) {
    assert.equal(schema["title"], "Payload");
    assert.deepEqual((schema["oneOf"] as Json[]).map(({ title }) => title), [
      "Generic worker payload",
      "Docker worker payload",
    ]);
  }
  assert.equal(schemas.multiuserWindows["title"], "Generic worker payload");
});

Deno.test("schemas: every property is described to task authors, with a title or at least in words", () => {
  for (const schema of allSchemas) {
    for (const node of schemaNodes(schema)) {
      for (const [name, property] of Object.entries((node["properties"] ?? {}) as Record<string, Json>)) {
        const isDescribed = property["description"] ?? property["$ref"] ?? property["enum"];
        assert.ok(isDescribed, `${name} has no description`);
      }
    }
  }
});

Deno.test("schemas: what show-payload-schema prints has the literal that a script relies on", () => {
  for (const schema of allSchemas) assert.match(stableJson(schema), /"writableDirectoryCache":/);
});
