import { strict as assert } from "node:assert";
import type { BuildInfo } from "../../src/cli/build_info.ts";
import { commands } from "../../src/cli/commands.ts";
import { helpText } from "../../src/cli/help.ts";
import { settings } from "../../src/config/settings.ts";

const linux: BuildInfo = { engine: "insecure", os: "linux", version: "1.2.3", revision: undefined };
const windows: BuildInfo = { ...linux, engine: "multiuser", os: "windows" };
const mac: BuildInfo = { ...linux, engine: "multiuser", os: "darwin" };

function exitCodesIn(help: string): number[] {
  const section = help.slice(help.indexOf("\nExit Codes:\n"));
  return [...section.matchAll(/^ {2}(\d+) /gm)].map((match) => Number(match[1]));
}

Deno.test("the help text fits 80 columns and has no trailing blanks, on every build", () => {
  for (const build of [linux, windows, mac]) {
    for (const line of helpText(build).split("\n")) {
      assert.ok([...line].length <= 80, line);
      assert.equal(line, line.trimEnd());
    }
  }
});

Deno.test("the help text starts with the version line and names every command and setting of the build", () => {
  const help = helpText(linux);
  assert.equal(help.split("\n", 1)[0], "generic-worker (insecure engine) 1.2.3");
  const sections = ["Usage:", "Targets:", "Options:", "Required config settings:", "Exit Codes:"];
  for (const title of sections) assert.ok(help.includes(`\n${title}\n`), title);
  for (const { name, where } of commands) {
    assert.equal(help.includes(`\n  generic-worker ${name}`), where === undefined, name);
  }
  for (const row of settings) {
    assert.equal(new RegExp(`^  ${row.name} `, "m").test(help), isOnInsecureLinux(row));
  }
});

function isOnInsecureLinux(row: object): boolean {
  const where = "where" in row ? JSON.stringify(row.where) : "linux";
  return where.includes("linux");
}

Deno.test("the help text lists the exit codes of its build", () => {
  assert.deepEqual(
    exitCodesIn(helpText(linux)),
    [0, 1, 2, 64, 68, 69, 70, 71, 72, 73, 75, 76, 78, 79, 80, 81, 84],
  );
  assert.deepEqual(
    exitCodesIn(helpText(mac)),
    [0, 1, 2, 64, 67, 68, 69, 70, 71, 72, 73, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84],
  );
  assert.deepEqual(
    exitCodesIn(helpText(windows)),
    [0, 1, 2, 64, 65, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 84],
  );
});

Deno.test("K40: the help text spells options and settings as they are", () => {
  const help = helpText(linux);
  assert.doesNotMatch(help, / -c\b|instanceID|workerTypeMetaData/);
  assert.match(help, /^ {2}84 /m);
});
