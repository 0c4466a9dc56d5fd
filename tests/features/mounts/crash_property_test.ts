/** Workers that are killed in the middle of mounting, running and releasing, again and again (weakness W-61). */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parseDirectoryTable } from "../../../src/features/mounts/tables.ts";
import { cachesOf, type WorkerCaches } from "../../../src/features/mounts/worker_caches.ts";
import type { TaskRun } from "../../../src/task/task_run.ts";
import type { WorkerContext } from "../../../src/task/worker_context.ts";
import { WorkerMemory } from "../../../src/task/worker_memory.ts";
import { withTaskRun } from "../../support/fake_task_run.ts";
import { type MountedTask, mountTask } from "./mount_run.ts";

class Killed extends Error {}

/** Lets a number of steps that change something on disk happen, and then none any more. */
class Fuse {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  burn(): void {
    if (this.#left-- <= 0) throw new Killed("killed");
  }
}

/** The object with the fuse burning before each call of these methods, and after it. */
function fused<T extends object>(
  object: T,
  names: readonly (keyof T)[],
  fuse: Fuse,
  { after = true } = {},
): T {
  for (const name of names) {
    const original = object[name];
    assert.ok(typeof original === "function");
    const method = async (...parameters: unknown[]) => {
      fuse.burn();
      const result = await original.apply(object, parameters);
      if (after) fuse.burn();
      return result;
    };
    Object.defineProperty(object, name, { value: method, configurable: true, writable: true });
  }
  return object;
}

const good = { aborted: false, exitCode: 0 };

/** A worker's life until it is killed, and the next, on one directory. */
class World {
  readonly #first: TaskRun;
  readonly #elsewhere: string;
  #worker: WorkerContext;
  #caches: WorkerCaches;
  #running: { mounted: MountedTask; directories: readonly string[]; before: ReadonlyMap<string, string> }[] =
    [];
  /** What each cache that a task has given back holds. */
  readonly #kept = new Map<string, string>();
  readonly #begun: MountedTask[] = [];
  #serial = 0;

  constructor(first: TaskRun, elsewhere: string) {
    this.#first = first;
    this.#elsewhere = elsewhere;
    this.#worker = first.worker;
    this.#caches = cachesOf(first.worker);
  }

  /** Starts the worker anew; it may make so many steps. */
  async restart(steps: number): Promise<void> {
    this.stop();
    const fuse = new Fuse(steps);
    const worker: WorkerContext = {
      ...this.#first.worker,
      platform: { ...this.#first.worker.platform },
      memory: new WorkerMemory(() => worker),
    };
    this.#worker = worker;
    this.#caches = cachesOf(worker);
    await this.#caches.load();
    await worker.platform.removeTree(worker.tasksDirectory);
    await this.#check();
    fused(worker.platform, ["removeTree", "copyTree"], fuse);
    fused(this.#caches, ["saveDirectories", "save"], fuse);
    fused(this.#caches.journal, ["add", "remove"], fuse);
    // Right after it a cache counts as touched, though no command has run yet.
    fused(this.#caches.journal, ["expose"], fuse, { after: false });
    fused(this.#caches.tree, ["move", "makeDirectory", "remove"], fuse);
  }

  /** Ends the worker as a kill does: nothing is brought back. */
  stop(): void {
    for (const { task } of this.#begun.splice(0)) task.log.close();
    this.#running = [];
  }

  /** Mounts caches for a task, writes into them. */
  async begin(names: readonly string[], { outside }: { outside: boolean }): Promise<void> {
    const base = outside ? join(this.#elsewhere, `${this.#serial}`) : "work";
    const entries = names.map((name, at) => ({ cacheName: name, directory: join(base, `${at}`) }));
    const mounted = await mountTask({ ...this.#first, worker: this.#worker }, entries);
    this.#begun.push(mounted);
    if (this.#wasKilled(mounted)) throw new Killed();
    assert.equal(mounted.problem, undefined);
    const directories = entries.map(({ directory }) => outside ? directory : mounted.at(directory));
    const before = new Map<string, string>();
    for (const directory of directories) {
      const path = join(directory, "id");
      if (!existsSync(path)) await Deno.writeTextFile(path, `cache ${++this.#serial}`);
      const id = await Deno.readTextFile(path);
      const text = existsSync(join(directory, "log")) ? await Deno.readTextFile(join(directory, "log")) : "";
      assert.equal(text, this.#kept.get(id) ?? "", `${id} holds what the last task left`);
      assert.ok(!this.#running.some((run) => run.before.has(id)), `${id} is in one task only`);
      before.set(id, text);
      await Deno.writeTextFile(join(directory, "log"), `${text}task ${++this.#serial}\n`);
      // It is not what the last task left any more: a kill from now on costs it.
      this.#kept.delete(id);
    }
    this.#running.push({ mounted, directories, before });
  }

  /** Ends the task that was begun first. */
  async end({ purge }: { purge: boolean }): Promise<void> {
    const run = this.#running.shift();
    if (!run) return;
    const contents = new Map<string, string>();
    for (const directory of run.directories) {
      const id = await Deno.readTextFile(join(directory, "id"));
      contents.set(id, await Deno.readTextFile(join(directory, "log")));
    }
    await run.mounted.end(purge ? { aborted: true } : good);
    if (!this.#wasKilled(run.mounted)) assert.equal(run.mounted.problem, undefined);
    const present = await this.#present();
    for (const [id, text] of contents) {
      if (purge) assert.ok(this.#wasKilled(run.mounted) || !present.has(id), `${id} is purged`);
      else if (!this.#wasKilled(run.mounted)) {
        assert.equal(present.get(id), text, `${id} is kept as it was left`);
      }
      // Killed on the way, it may be there or not, but only as the task left it.
      if (present.has(id)) this.#kept.set(id, text);
    }
    if (this.#wasKilled(run.mounted)) throw new Killed();
  }

  #wasKilled({ task }: MountedTask): boolean {
    return task.outcome.problems.some(({ cause, message }) =>
      cause instanceof Killed || message.includes("killed")
    );
  }

  /** Right after a start: nothing lost, nothing left over, nothing half. */
  async #check(): Promise<void> {
    const { directory } = this.#worker;
    const table = parseDirectoryTable(await Deno.readTextFile(join(directory, "directory-caches.json")));
    const locations = [...table.values()].flat().map(({ location }) => location).toSorted();
    const stored = [...Deno.readDirSync(join(directory, "caches"))].map(({ name }) => `caches/${name}`)
      .toSorted();
    assert.deepEqual(stored, locations, "the table knows what is on disk");
    assert.deepEqual(this.#caches.journal.entries, []);
    const present = await this.#present();
    for (const [id, text] of this.#kept) assert.equal(present.get(id), text, `${id} is not lost`);
    for (const id of present.keys()) assert.ok(this.#kept.has(id), `${id} was given back by a task`);
    const left = [...Deno.readDirSync(this.#elsewhere)].flatMap(({ name }) => [
      ...Deno.readDirSync(join(this.#elsewhere, name)),
    ]);
    assert.deepEqual(left, [], "nothing is left where caches were mounted");
  }

  /** The content of each cache that lies at its location. */
  async #present(): Promise<ReadonlyMap<string, string>> {
    const directory = join(this.#worker.directory, "caches");
    const present = new Map<string, string>();
    for (const { name } of await Array.fromAsync(Deno.readDir(directory))) {
      // What is being copied has another name until it is whole.
      if (name.startsWith(".")) continue;
      const id = await Deno.readTextFile(join(directory, name, "id")).catch(() => undefined);
      if (id !== undefined) present.set(id, await Deno.readTextFile(join(directory, name, "log")));
    }
    return present;
  }
}

const names = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("begin" as const), names, outside: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), purge: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill" as const) }) },
);

async function play(world: World, life: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
  for (const move of life) {
    if (move.kind === "kill") return;
    if (move.kind === "begin") await world.begin(move.names, move);
    else await world.end(move);
  }
}

for (
  const { where, directory } of [{ where: "the same", directory: "/tmp" }, {
    where: "another",
    directory: "/dev/shm",
  }]
) {
  Deno.test(`W-61: workers killed at any step, with caches on ${where} file system, lose no cache, share none, leave nothing`, async () => {
    const life = fc.record({
      steps: fc.integer({ min: 0, max: 80 }),
      moves: fc.array(step, { maxLength: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), async (lives) => {
        const elsewhere = await Deno.makeTempDir({ dir: directory, prefix: "generic-worker-test-" });
        try {
          await withTaskRun({}, async ({ task }) => {
            const world = new World(task, elsewhere);
            for (const { steps, moves } of lives) {
              await world.restart(steps);
              await play(world, moves).catch((error) => {
                if (!(error instanceof Killed)) throw error;
              });
            }
            await world.restart(0);
            world.stop();
          });
        } finally {
          await Deno.remove(elsewhere, { recursive: true });
        }
      }),
      { numRuns: 30, seed: 61, endOnFailure: true },
    );
  });
}
