/** The index service: finds tasks by a dotted name instead of their id. */

import type { Clock } from "../base/clock.ts";
import { formatTimestamp } from "../base/timestamp.ts";
import { paginate, sortedBy } from "./pagination.ts";
import { bodyAs, param, timeMs } from "./request_parts.ts";
import { ApiError, type ApiRequest, type ApiResponse, type EmbeddedService } from "./service.ts";

/** What a namespace says: the task, and which of two competing tasks wins. */
export interface IndexedTask {
  /** The full dotted path. */
  readonly namespace: string;
  readonly taskId: string;
  /** The entry of the highest rank stays; of two equal ones the later. */
  readonly rank: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly expiresMs: number;
}

/** A namespace that holds entries or further namespaces, and the expiry of the last of those. */
export interface IndexNamespace {
  readonly namespace: string;
  readonly name: string;
  readonly expiresMs: number;
}

/** The entries of the index. Expired ones are as good as absent. */
export class TaskIndex {
  readonly #clock: Clock;
  readonly #tasks = new Map<string, IndexedTask>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts the entry unless a living one of higher rank is there; gives the entry that is there afterwards. */
  insert(task: IndexedTask): IndexedTask {
    const present = this.find(task.namespace);
    if (present !== undefined && present.rank > task.rank) return present;
    this.#tasks.set(task.namespace, task);
    return task;
  }

  find(namespace: string): IndexedTask | undefined {
    const task = this.#tasks.get(namespace);
    if (task === undefined || task.expiresMs > this.#clock.nowMs()) return task;
    this.#tasks.delete(namespace);
    return undefined;
  }

  remove(namespace: string): void {
    this.#tasks.delete(namespace);
  }

  /** Entries directly inside the namespace (`""` is the root), sorted. */
  tasksIn(namespace: string): IndexedTask[] {
    return this.#living().filter((task) => splitPath(task.namespace).parent === namespace);
  }

  /** Namespaces directly inside the namespace (`""` is the root), sorted. */
  namespacesIn(namespace: string): IndexNamespace[] {
    const prefix = namespace === "" ? "" : `${namespace}.`;
    const found = new Map<string, IndexNamespace>();
    for (const { namespace: path, expiresMs } of this.#living()) {
      if (!path.startsWith(prefix)) continue;
      const [name, ...deeper] = path.slice(prefix.length).split(".");
      if (name === undefined || deeper.length === 0) continue;
      const latestMs = Math.max(expiresMs, found.get(name)?.expiresMs ?? expiresMs);
      found.set(name, { namespace: prefix + name, name, expiresMs: latestMs });
    }
    return sortedBy(found.values(), (entry) => entry.namespace);
  }

  #living(): IndexedTask[] {
    const living = [...this.#tasks.keys()].flatMap((path) => this.find(path) ?? []);
    return sortedBy(living, (task) => task.namespace);
  }
}

export interface IndexOptions {
  clock: Clock;
  /**
   * The queue's URL of the latest artifact `name` of a task. For a private one it must carry its own
   * authorization: the caller's was checked here and does not follow a redirect.
   */
  artifactUrl(artifact: { taskId: string; name: string }): string;
}

export interface IndexService extends EmbeddedService {
  /** The same state, for tests and for the parts of the same process. */
  readonly tasks: TaskIndex;
}

/** The index service with no entries. */
export function createIndexService(options: IndexOptions): IndexService {
  const tasks = new TaskIndex(options.clock);
  return {
    service: "index",
    tasks,
    handlers: {
      findTask: (request) => ({ body: describe(required(tasks, pathOf(request, "indexPath"))) }),
      findTasksAtIndex: (request) => findTasksAtIndex(tasks, request),
      listNamespaces: (request) => listNamespaces(tasks, request),
      listTasks: (request) => listTasks(tasks, request),
      insertTask: (request) => insertTask(tasks, request),
      deleteTask: (request) => {
        tasks.remove(pathOf(request, "namespace"));
        return {};
      },
      findArtifactFromTask: (request) => {
        const { taskId } = required(tasks, pathOf(request, "indexPath"));
        return { status: 303, location: options.artifactUrl({ taskId, name: param(request, "name") }) };
      },
    },
  };
}

function findTasksAtIndex(tasks: TaskIndex, request: ApiRequest): ApiResponse {
  const { indexes = [] } = bodyAs<{ indexes?: string[] }>(request);
  request.authorize({ indexPaths: indexes });
  const unique = sortedBy(new Set(indexes), (path) => path);
  const found = unique.flatMap((path) => tasks.find(path) ?? []);
  const page = paginate(found, { query: request.query, key: (task) => task.namespace });
  return { body: { tasks: page.items.map(describe), ...page.more } };
}

function listNamespaces(tasks: TaskIndex, request: ApiRequest): ApiResponse {
  const found = tasks.namespacesIn(parentOf(request));
  const page = paginate(found, { query: request.query, key: (entry) => entry.namespace });
  const namespaces = page.items.map(({ namespace, name, expiresMs }) => ({
    namespace,
    name,
    expires: formatTimestamp(expiresMs),
  }));
  return { body: { namespaces, ...page.more } };
}

function listTasks(tasks: TaskIndex, request: ApiRequest): ApiResponse {
  const found = tasks.tasksIn(parentOf(request));
  const page = paginate(found, { query: request.query, key: (task) => task.namespace });
  return { body: { tasks: page.items.map(describe), ...page.more } };
}

function insertTask(tasks: TaskIndex, request: ApiRequest): ApiResponse {
  const body = bodyAs<{ taskId: string; rank: number; data: Record<string, unknown>; expires: string }>(
    request,
  );
  const { expires, ...entry } = body;
  const namespace = pathOf(request, "namespace");
  return { body: describe(tasks.insert({ ...entry, namespace, expiresMs: timeMs(expires, "expires") })) };
}

function required(tasks: TaskIndex, path: string): IndexedTask {
  const task = tasks.find(path);
  if (task === undefined) throw new ApiError(404, "ResourceNotFound", `Indexed task ${path} not found`);
  return task;
}

/** The characters the real index allows in a path; they need no escaping in a routing key or a URL. */
const pathPattern = /^[a-zA-Z0-9_!~*'()%-]+(\.[a-zA-Z0-9_!~*'()%-]+)*$/;

/** True for dot-separated words of at most 255 characters together. */
export function isIndexPath(path: string): boolean {
  return pathPattern.test(path) && path.length <= 255;
}

function pathOf(request: ApiRequest, name: string): string {
  const path = param(request, name);
  if (isIndexPath(path)) return path;
  throw new ApiError(
    400,
    "InvalidRequestArguments",
    `Invalid ${name}: ${path} is not a list of dot-separated words of at most 255 characters`,
  );
}

function parentOf(request: ApiRequest): string {
  return param(request, "namespace") === "" ? "" : pathOf(request, "namespace");
}

function splitPath(path: string): { parent: string; name: string } {
  const dot = path.lastIndexOf(".");
  return { parent: dot < 0 ? "" : path.slice(0, dot), name: path.slice(dot + 1) };
}

function describe({ expiresMs, ...task }: IndexedTask) {
  return { ...task, expires: formatTimestamp(expiresMs) };
}
