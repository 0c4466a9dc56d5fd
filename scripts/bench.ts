/**
 * Measures workers: `deno task bench [--worker BIN] [--peer BIN] [--only NAME] [--runs N]`. Drives each through a config
 * file against a Taskcluster in another process, in turn with the peer, and prints a Markdown table of medians, spread
 * and, with a peer, the ratio to it.
 *
 * * `--worker`: the binary to measure. Default: the insecure engine in `dist/`, as `deno task compile` left it.
 * * `--peer`: any other generic-worker to compare with; what it needs besides itself must be on the PATH. The worker
 *   itself as its own peer shows how far two measurements of the same thing lie apart on this machine.
 * * `--only`: one scenario: start, idle, trivial-1, trivial-4, log, small-artifacts or big-artifacts.
 * * `--runs`: how often each scenario runs. Default: 3, idle and big-artifacts once.
 *
 * Times of a task are the queue's; CPU of the worker is that of its own process, without commands of the task.
 */

import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Deployment } from "./bench/deployment.ts";
import { type Figure, table } from "./bench/figures.ts";
import { type Scenario, scenarios } from "./bench/scenarios.ts";
import { print } from "./print.ts";
import { binaryName, targets } from "./targets.ts";

const root = resolve(import.meta.dirname ?? "", "..");

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      worker: { type: "string" },
      peer: { type: "string" },
      only: { type: "string" },
      runs: { type: "string" },
    },
  });
  const chosen = scenarios.filter(({ name }) => values.only === undefined || name === values.only);
  if (chosen.length === 0) {
    throw new Error(
      `Unknown scenario ${values.only}: it is one of ${scenarios.map(({ name }) => name).join(", ")}`,
    );
  }
  const binaries = [resolve(values.worker ?? compiledBinary())];
  if (values.peer !== undefined) binaries.push(resolve(values.peer));
  await using deployment = await Deployment.start(root);
  const figures = binaries.map(() => [] as Figure[]);
  for (const scenario of chosen) {
    const runs = values.runs === undefined ? scenario.runs : Number(values.runs);
    for (let run = 0; run < runs; run++) await runOnce(scenario, { binaries, deployment, figures });
  }
  const [worker = [], peer = []] = figures;
  print(table(merged(worker), merged(peer)));
}

async function runOnce(
  scenario: Scenario,
  bench: {
    readonly binaries: readonly string[];
    readonly deployment: Deployment;
    readonly figures: Figure[][];
  },
): Promise<void> {
  for (const [index, binary] of bench.binaries.entries()) {
    print(`${scenario.name}: ${binary}`);
    bench.figures[index]?.push(...await scenario.measure({ binary, deployment: bench.deployment }));
  }
}

/** Puts the samples of all runs of a figure together. */
function merged(figures: readonly Figure[]): Figure[] {
  const byName = Map.groupBy(figures, ({ name }) => name);
  return [...byName].map(([name, same]) => ({
    name,
    unit: same[0]?.unit ?? "",
    samples: same.flatMap(({ samples }) => samples),
  }));
}

function compiledBinary(): string {
  const target = targets.find(({ engine, triple }) => engine === "insecure" && triple === Deno.build.target);
  if (!target) throw new Error("Nothing is built for this machine: name a binary with --worker");
  return join(root, "dist", binaryName(target));
}

await main();
