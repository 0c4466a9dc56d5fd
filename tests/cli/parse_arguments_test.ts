import { strict as assert } from "node:assert";
import fc from "fast-check";
import type { Build } from "../../src/base/build.ts";
import { commands, options } from "../../src/cli/commands.ts";
import { parseArguments } from "../../src/cli/parse_arguments.ts";
import { UsageMistake } from "../../src/cli/usage_mistake.ts";

const linux: Build = { engine: "insecure", os: "linux" };
const windows: Build = { engine: "multiuser", os: "windows" };

function parse(...words: string[]) {
  const { command, given } = parseArguments(words, linux);
  return { command: command.name, values: given.values, flags: [...given.flags], operand: given.operand };
}

function mistake(words: readonly string[], build = linux): string {
  try {
    parseArguments(words, build);
  } catch (error) {
    if (error instanceof UsageMistake) return error.message;
    throw error;
  }
  throw new Error(`${words.join(" ")} is understood`);
}

Deno.test("parseArguments() takes options before and after the command, with a space or an equals sign", () => {
  const expected = {
    command: "run",
    values: { "config": "c", "worker-runner-protocol-pipe": "p" },
    flags: ["with-worker-runner"],
    operand: "",
  };
  const lines = [
    "run --config c --with-worker-runner --worker-runner-protocol-pipe p",
    "--config=c --worker-runner-protocol-pipe=p run --with-worker-runner",
    "--with-worker-runner --config c --worker-runner-protocol-pipe=p run",
    "--wi run --work=p --conf c",
  ];
  for (const line of lines) assert.deepEqual(parse(...line.split(" ")), expected, line);
});

Deno.test("parseArguments() keeps values that look like something else", () => {
  assert.deepEqual(parse("run", "--config", "--json").values, { config: "--json" });
  assert.deepEqual(parse("run", "--config=").values, { config: "" });
  assert.deepEqual(parse("run", "--config=a=b").values, { config: "a=b" });
  assert.deepEqual(parse("new-ed25519-keypair", "--file", "run").values, { file: "run" });
});

Deno.test("parseArguments() takes a lone dash and everything after two dashes as words", () => {
  assert.equal(parse("run-task", "-").operand, "-");
  assert.equal(parse("run-task", "-F6LyRqpQLOyb8OED-8TAw").operand, "-F6LyRqpQLOyb8OED-8TAw");
  assert.equal(parse("run-task", "--json", "--6LyRqpQLOyb8OED-8TAw").operand, "--6LyRqpQLOyb8OED-8TAw");
  assert.equal(parse("check-config", "--", "--odd").operand, "--odd");
});

Deno.test("parseArguments() prefers an exact option name over longer ones that start with it", () => {
  assert.deepEqual(parse("new-ed25519-keypair", "--file", "k").values, { file: "k" });
  assert.equal(
    mistake(["create-file", "--create", "x"]),
    [
      "Option --create is ambiguous: it may be --create-file or --create-dir",
    ].join(),
  );
});

Deno.test("parseArguments() lets help and version win over everything, help first", () => {
  assert.equal(parse("--help").command, "help");
  assert.equal(parse("-h").command, "help");
  assert.equal(parse("--version", "nonsense", "--bogus", "-x").command, "version");
  assert.equal(parse("run", "--version", "--help").command, "help");
  assert.equal(parse("--vers").command, "version");
});

Deno.test("parseArguments() takes --short-version only alone", () => {
  assert.equal(parse("--short-version").command, "short-version");
  assert.match(mistake(["--short-version", "run"]), /only word/);
});

Deno.test("parseArguments() names what is wrong with a command line", () => {
  const cases: [string, RegExp][] = [
    ["", /^No command is given$/],
    ["dance", /^Unknown command dance$/],
    ["run extra", /^Unexpected word extra after run$/],
    ["check-config", /^Command check-config needs FILE$/],
    ["check-config a b", /^Unexpected word b after check-config$/],
    ["run --config", /^Option --config needs a value: --config FILE$/],
    ["run --with-worker-runner=yes", /^Option --with-worker-runner takes no value$/],
    ["run --config a --config b", /^Option --config is given twice$/],
    ["status --config a", /^Option --config does not belong to the command status$/],
    ["create-dir", /^Command create-dir needs the option --create-dir$/],
    ["unarchive --archive-src a --archive-fmt zip", /needs the option --archive-dst$/],
    ["run --bogus", /^Unknown option --bogus$/],
  ];
  for (const [line, expected] of cases) {
    assert.match(mistake(line.split(" ").filter((word) => word !== "")), expected);
  }
});

Deno.test("K40: -c is refused with a word about --config, as the help text no longer promises it", () => {
  assert.equal(
    mistake(["run", "-c", "file"]),
    "Unknown option -c: options are written out, as in --config",
  );
});

Deno.test("parseArguments() explains commands and options of other builds", () => {
  assert.equal(
    mistake(["launch-agent"]),
    "Command launch-agent exists only with the multiuser engine on macOS; this is the insecure engine on Linux",
  );
  assert.match(mistake(["install", "service"]), /exists only on Windows/);
  assert.match(mistake(["run", "--sid", "x"]), /^Option --sid exists only on Windows/);
  const { command, given } = parseArguments(["install", "service", "--nssm", "n.exe"], windows);
  assert.deepEqual([command.name, given.operand, given.values], ["install", "service", { nssm: "n.exe" }]);
});

Deno.test("parseArguments() gives a command or a UsageMistake for any words, and help whenever it is asked for", () => {
  const known = [
    ...commands.map(({ name }) => name),
    ...options.map(({ name }) => `--${name}`),
    "-h",
    "--",
    "-",
  ];
  const word = fc.oneof(fc.constantFrom(...known), fc.string({ maxLength: 6 }), fc.constant("--c=x"));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      for (const build of [linux, windows]) {
        try {
          parseArguments(words, build);
        } catch (error) {
          assert.ok(error instanceof UsageMistake, String(error));
        }
        assert.equal(parseArguments(["--help", ...words], build).command.name, "help");
      }
    }),
    { numRuns: 1000, seed: 1000 },
  );
});

Deno.test("parseArguments() accepts each command with exactly what the table says", () => {
  for (const row of commands.filter(({ load }) => load)) {
    const required = (row.requires ?? []).flatMap((name) => [`--${name}`, "value"]);
    const accepted = (row.accepts ?? []).map((name) => {
      const option = options.find((each) => each.name === name);
      assert.ok(option, name);
      return option.value === undefined ? `--${name}` : `--${name}=value`;
    });
    const operand = row.operand === undefined ? [] : ["operand"];
    assert.equal(parse(row.name, ...operand, ...required, ...accepted).command, row.name);
    assert.ok(mistake([row.name, ...operand, "surplus", ...required]));
  }
});
