import { strict as assert } from "node:assert";
import { minimal } from "../config/samples.ts";
import { genericWorker } from "../support/generic_worker.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

async function check(text: string, ...words: string[]) {
  using directory = new TemporaryDirectory();
  Deno.writeTextFileSync(directory.at("gw.json"), text);
  return await genericWorker(["check-config", "gw.json", ...words], { cwd: directory.path });
}

Deno.test("check-config prints every setting with value and origin, secrets as ***, and exits with 0", async () => {
  const { code, stdout, stderr } = await check(JSON.stringify(minimal, null, 2));
  assert.deepEqual([code, stderr], [0, ""]);
  const lines = stdout.split("\n");
  assert.equal(lines[0], "gw.json: no mistakes. Effective settings:");
  assert.ok(lines.some((line) => /^accessToken +"\*\*\*" +gw\.json:2$/.test(line)));
  assert.ok(lines.some((line) => /^workerId +"worker-1" +gw\.json:6$/.test(line)));
  assert.ok(lines.some((line) => /^capacity +1 +default$/.test(line)));
  assert.ok(!stdout.includes('token"'));
});

Deno.test("check-config lists all mistakes from top to bottom and exits as run would", async () => {
  const { code, stdout } = await check('{\n  "workerId": "a b",\n  "capcity": 1,\n  "region": 7\n}');
  assert.equal(code, 64);
  const places = [...stdout.matchAll(/^gw\.json:(\d+:\d+): (error|warning): /gm)].map((match) =>
    match.slice(1)
  );
  assert.deepEqual(places, [["2:15", "warning"], ["3:3", "error"], ["4:13", "error"]]);
  assert.match(stdout, /^gw\.json: error: "accessToken" needs a value/m);
  assert.match(stdout, /^gw\.json: 6 errors and 1 warning; run would exit with 64\./m);
  assert.equal((await check("{}")).code, 73);
});

Deno.test("check-config --json prints the same for programs", async () => {
  const { code, stdout } = await check(`{"accessToken": "s3cret", "capcity": 1}`, "--json");
  assert.equal(code, 64);
  const { file, exitCode, problems, settings } = JSON.parse(stdout);
  assert.deepEqual([file, exitCode], ["gw.json", 64]);
  assert.deepEqual(problems[0], {
    severity: "error",
    setting: "capcity",
    line: 1,
    column: 27,
    message: 'unknown field "capcity"; did you mean "capacity"?',
    found: '"capcity"',
    allowed: "a setting that this build knows",
    suggestion: "capacity",
  });
  const find = (name: string) => settings.find((setting: { name: string }) => setting.name === name);
  assert.deepEqual(find("accessToken"), {
    name: "accessToken",
    value: "***",
    origin: { file: "gw.json", line: 1, column: 17 },
  });
  assert.deepEqual(find("capacity"), { name: "capacity", value: 1, origin: "default" });
});

Deno.test("check-config exits with 64 for a file that is not there", async () => {
  using directory = new TemporaryDirectory();
  const { code, stdout } = await genericWorker(["check-config", directory.at("missing")]);
  assert.equal(code, 64);
  assert.match(stdout, /\/missing: error: the file can't be read: No such file/);
});

Deno.test("show-config-schema prints a JSON schema of this build", async () => {
  const { code, stdout } = await genericWorker(["show-config-schema"]);
  assert.equal(code, 0);
  const schema = JSON.parse(stdout);
  assert.equal(schema.type, "object");
  assert.equal(schema.properties.capacity.default, 1);
  assert.equal(schema.properties.headlessTasks, undefined);
});
