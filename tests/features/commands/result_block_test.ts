/** The block after each command is parsed by people and scripts: every column counts. */

import assert from "node:assert/strict";
import { abortedResult, finishedResult } from "../../../src/features/commands/result_block.ts";

const times = { userMs: 1.203, kernelMs: 2.1, wallMs: 1004.512345 };
const memory = [
  ["Average Available System Memory", "14.52 GiB"],
  ["Average System Memory Used", "812.33 MiB"],
  ["Peak System Memory Used", "815.00 MiB"],
  ["Total System Memory", "15.61 GiB"],
] as const;

Deno.test("the result block of a command that succeeded is the specification's, column for column", () => {
  assert.equal(
    finishedResult({ exitCode: 0, times, watched: memory, succeeded: true }),
    [
      "                       Exit Code: 0",
      "                       User Time: 1.203ms",
      "                     Kernel Time: 2.1ms",
      "                       Wall Time: 1.004512345s",
      " Average Available System Memory: 14.52 GiB",
      "      Average System Memory Used: 812.33 MiB",
      "         Peak System Memory Used: 815.00 MiB",
      "             Total System Memory: 15.61 GiB",
      "                          Result: SUCCEEDED",
    ].join("\n"),
  );
});

Deno.test("the result block of a command killed by a signal has exit code -1 and no memory lines without samples", () => {
  const block = finishedResult({ exitCode: -1, times, watched: [], succeeded: false });
  assert.deepEqual(block.split("\n").map((line) => line.trim().split(":")[0]), [
    "Exit Code",
    "User Time",
    "Kernel Time",
    "Wall Time",
    "Result",
  ]);
  assert.match(block, /Exit Code: -1\n/);
  assert.match(block, /Result: FAILED$/);
});

Deno.test("an aborted command is told in one line that ends in a newline, then the memory lines", () => {
  assert.equal(abortedResult("5.001s", []), "Command ABORTED after 5.001s: process aborted\n");
  assert.match(abortedResult("5.001s", memory), /aborted\n Average Available[^\n]*\n.*15\.61 GiB\n$/s);
});
