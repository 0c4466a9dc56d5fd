import { strict as assert } from "node:assert";
import { Ajv } from "ajv";
import fc from "fast-check";
import { reportOnText } from "../../src/config/config_report.ts";
import { configSchema } from "../../src/config/config_schema.ts";
import { d2gSettings } from "../../src/config/d2g_settings.ts";
import { exitCodeOf } from "../../src/config/problem.ts";
import { settings } from "../../src/config/settings.ts";
import { insecure, minimal, multiuser } from "./samples.ts";

const formats = { ipv4: /^(\d{1,3}\.){3}\d{1,3}$/, ipv6: /^[0-9a-f:]*:[0-9a-f:]*$/ };

function validator(build: typeof insecure) {
  return new Ajv({ formats, strictTypes: false }).compile(configSchema(build));
}

Deno.test("configSchema() accepts what the loader accepts and refuses what it can't decode", () => {
  const names = [...settings.map(({ name }) => name), "cpacity"];
  const d2gNames = [...d2gSettings.map(({ name }) => name), "enableX"];
  const scalar = fc.oneof(
    fc.boolean(),
    fc.constantFrom(0, 1, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, 1.5),
    fc.constantFrom("", "x", "10.0.0.1", "::1", "1.2"),
    fc.constant(null),
    fc.constant([]),
  );
  const d2g = fc.oneof(scalar, fc.dictionary(fc.constantFrom(...d2gNames), scalar, { maxKeys: 3 }));
  const extras = fc.dictionary(fc.constantFrom(...names), d2g, { maxKeys: 3 });
  for (const build of [insecure, multiuser]) {
    const validate = validator(build);
    fc.assert(
      fc.property(extras, (extra) => {
        const document = { ...minimal, ed25519SigningKeyLocation: "key", ...extra };
        const report = reportOnText(JSON.stringify(document), build);
        const accepted = validate(document);
        const because = JSON.stringify([document, validate.errors, report.problems]);
        const exitCode = exitCodeOf(report.problems);
        // Rules between settings are beyond a schema; required strings are in both.
        if (exitCode === 64) assert.ok(!accepted, because);
        if (exitCode === 0) assert.ok(accepted, because);
        if (!accepted) assert.notEqual(exitCode, 0, because);
      }),
      { numRuns: 1000, seed: 1000 },
    );
  }
});

Deno.test("configSchema() gives every setting of the build a description, and a default where there is one", () => {
  const { properties, required } = configSchema(multiuser) as {
    properties: Record<string, { description?: string; default?: unknown }>;
    required: string[];
  };
  assert.deepEqual(required.toSorted(), ["accessToken", "clientId", "rootURL", "workerId", "workerType"]);
  assert.ok("headlessTasks" in properties && !("enableRDP" in properties));
  for (const [name, property] of Object.entries(properties)) {
    assert.ok(property.description, name);
    assert.equal("default" in property, !required.includes(name), name);
  }
});
