import { strict as assert } from "node:assert";
import fc from "fast-check";
import { createIndexService, type IndexedTask, TaskIndex } from "../../src/embedded/index.ts";
import { dayMs, hourMs, ServiceClock } from "./service_clock.ts";
import { ServiceDriver } from "./service_driver.ts";

const taskA = "AAAAAAAAQAGAAAAAAAAAAA";
const taskB = "BBBBBBBBQBGBBBBBBBBBBA";

function start() {
  const clock = new ServiceClock();
  const service = createIndexService({
    clock,
    artifactUrl: ({ taskId, name }) => `http://queue.test/${taskId}/${encodeURIComponent(name)}`,
  });
  const driver = new ServiceDriver(service);
  const insert = (namespace: string, entry: { taskId?: string; rank?: number; expiresInMs?: number } = {}) =>
    driver.call("insertTask", {
      params: { namespace },
      body: {
        taskId: entry.taskId ?? taskA,
        rank: entry.rank ?? 0,
        data: {},
        expires: clock.timestamp(entry.expiresInMs ?? dayMs),
      },
    });
  const find = async (indexPath: string) => (await driver.call("findTask", { params: { indexPath } })).body;
  return { clock, service, driver, insert, find };
}

Deno.test("index has a handler for every entry of its reference", () => {
  const { service, driver } = start();
  assert.deepEqual(Object.keys(service.handlers).sort(), driver.entryNames().sort());
});

Deno.test("findTask gives what insertTask put in", async () => {
  const { clock, driver, find } = start();
  const entry = { taskId: taskA, rank: 1.5, data: { revision: "abc" } };
  const inserted = await driver.call("insertTask", {
    params: { namespace: "project.thing.latest" },
    body: { ...entry, expires: "2030-01-02T01:00:00+01:00" },
  });
  const expected = { ...entry, namespace: "project.thing.latest", expires: clock.timestamp(dayMs) };
  assert.deepEqual(inserted.body, expected);
  assert.deepEqual(await find("project.thing.latest"), expected);
});

Deno.test("insertTask keeps a task of higher rank and replaces one of equal or lower rank", async () => {
  const { insert, find } = start();
  await insert("a.b", { taskId: taskA, rank: 5 });
  assert.equal((await insert("a.b", { taskId: taskB, rank: 4 })).body["taskId"], taskA);
  assert.equal((await find("a.b"))["taskId"], taskA);
  await insert("a.b", { taskId: taskB, rank: 5 });
  assert.equal((await find("a.b"))["taskId"], taskB);
  await insert("a.b", { taskId: taskA, rank: 6 });
  assert.equal((await find("a.b"))["taskId"], taskA);
});

Deno.test("insertTask replaces an expired task of higher rank", async () => {
  const { clock, insert, find } = start();
  await insert("a.b", { taskId: taskA, rank: 5, expiresInMs: hourMs });
  await clock.advance(hourMs);
  await insert("a.b", { taskId: taskB, rank: 0 });
  assert.equal((await find("a.b"))["taskId"], taskB);
});

Deno.test("findTask answers 404 for a path that is absent, expired, deleted or only a namespace", async () => {
  const { clock, driver, insert } = start();
  await insert("a.brief", { expiresInMs: hourMs });
  await insert("a.deleted");
  await insert("a.deep.task");
  await driver.call("deleteTask", { params: { namespace: "a.deleted" } });
  await clock.advance(hourMs);
  for (const indexPath of ["a.brief", "a.deleted", "a.deep", "absent"]) {
    assert.equal(
      await driver.refusal("findTask", { params: { indexPath } }),
      "404 ResourceNotFound",
      indexPath,
    );
  }
});

Deno.test("index refuses paths with empty words, foreign characters or more than 255 characters", async () => {
  const { driver } = start();
  for (const indexPath of ["a..b", ".a", "a.", "a b", "a/b", "é", "x".repeat(256)]) {
    assert.equal(
      await driver.refusal("findTask", { params: { indexPath } }),
      "400 InvalidRequestArguments",
      indexPath,
    );
  }
});

Deno.test("listTasks and listNamespaces show one level each", async () => {
  const { clock, driver, insert } = start();
  await insert("root");
  await insert("p.one", { expiresInMs: hourMs });
  await insert("p.q.two", { expiresInMs: hourMs });
  await insert("p.q.three", { expiresInMs: 2 * hourMs });
  await insert("p.q-other.four");
  const level = async (namespace: string) => {
    const tasks = (await driver.call("listTasks", { params: { namespace } })).body["tasks"];
    const listed = (await driver.call("listNamespaces", { params: { namespace } })).body["namespaces"];
    return { tasks: (tasks as { namespace: string }[]).map((task) => task.namespace), namespaces: listed };
  };
  assert.deepEqual(await level(""), {
    tasks: ["root"],
    namespaces: [{ namespace: "p", name: "p", expires: clock.timestamp(dayMs) }],
  });
  assert.deepEqual(await level("p"), {
    tasks: ["p.one"],
    namespaces: [
      { namespace: "p.q", name: "q", expires: clock.timestamp(2 * hourMs) },
      { namespace: "p.q-other", name: "q-other", expires: clock.timestamp(dayMs) },
    ],
  });
  assert.deepEqual(await level("p.q"), { tasks: ["p.q.three", "p.q.two"], namespaces: [] });
});

Deno.test("findTasksAtIndex gives those that exist, each once, and asks for the scope of every path", async () => {
  const { driver, insert } = start();
  await insert("a.one");
  await insert("a.two");
  const body = { indexes: ["a.two", "a.absent", "a.one", "a.two"] };
  const scopes = ["index:find-task:a.one", "index:find-task:a.two", "index:find-task:a.absent"];
  const { tasks } = (await driver.call("findTasksAtIndex", { body, scopes })).body;
  assert.deepEqual((tasks as { namespace: string }[]).map((task) => task.namespace), ["a.one", "a.two"]);
  assert.equal(
    await driver.refusal("findTasksAtIndex", { body, scopes: scopes.slice(1) }),
    "403 InsufficientScopes",
  );
});

Deno.test("findArtifactFromTask redirects with 303 to the artifact of the indexed task", async () => {
  const { driver, insert } = start();
  await insert("a.task", { taskId: taskB });
  const params = { indexPath: "a.task", name: "public/build/target.zip" };
  const { status, location } = await driver.call("findArtifactFromTask", { params });
  assert.deepEqual([status, location], [303, `http://queue.test/${taskB}/public%2Fbuild%2Ftarget.zip`]);
  const absent = { ...params, indexPath: "a.absent" };
  assert.equal(await driver.refusal("findArtifactFromTask", { params: absent }), "404 ResourceNotFound");
});

Deno.test("the index holds the latest of the highest rank, and lists every living task exactly once", () => {
  const insertion = fc.record({
    namespace: fc.array(fc.constantFrom("a", "b", "c-d"), { minLength: 1, maxLength: 4 }).map((words) =>
      words.join(".")
    ),
    taskId: fc.constantFrom(taskA, taskB),
    rank: fc.integer({ min: -2, max: 2 }),
    data: fc.constant({}),
    expiresMs: fc.constantFrom(-1, 1).map((offset) => new ServiceClock().nowMs() + offset),
  });
  fc.assert(fc.property(fc.array(insertion, { maxLength: 30 }), (insertions) => {
    const index = new TaskIndex(new ServiceClock());
    const expected = new Map<string, IndexedTask>();
    for (const task of insertions) {
      index.insert(task);
      const present = expected.get(task.namespace);
      const blocked = present !== undefined && present.expiresMs > new ServiceClock().nowMs();
      if (!blocked || present.rank <= task.rank) expected.set(task.namespace, task);
    }
    const living = [...expected.values()].filter((task) => task.expiresMs > new ServiceClock().nowMs());
    const listed = tasksBelow(index, "");
    assert.deepEqual(sortedByNamespace(listed), sortedByNamespace(living));
  }));
});

/** All tasks that somebody finds who walks down from a namespace. */
function tasksBelow(index: TaskIndex, namespace: string): IndexedTask[] {
  const deeper = index.namespacesIn(namespace).flatMap((inner) => tasksBelow(index, inner.namespace));
  return [...index.tasksIn(namespace), ...deeper];
}

function sortedByNamespace(tasks: readonly IndexedTask[]): IndexedTask[] {
  return [...tasks].sort((left, right) => (left.namespace < right.namespace ? -1 : 1));
}
